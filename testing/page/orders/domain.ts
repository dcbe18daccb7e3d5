import { decideDomain } from 'millrace'
import { z } from 'zod'

const READ = 'orders:read'
const WRITE = 'orders:write'
/** Prices in cents. */
const PRICES = { kettle: 4900, pot: 1900 }

const product = z.enum(['kettle', 'pot'])
const cents = z.int().min(1)
const order = z.object({
  product,
  cents,
  customer: z.string(),
  state: z.enum(['placed', 'paid']),
  placedAt: z.iso.datetime(),
})
const item = order.extend({ id: z.string() })

/** Orders, which their customers place and pay. The stream of a command is the id of its order. */
export default decideDomain({
  name: 'orders',
  topic: { name: 'orders', partitions: 6 },
  // A client may send a payment before its order is applied.
  ordering: 'ordered',
  roles: { member: [READ, WRITE] },

  commands: {
    'orders.place': {
      summary: 'Place an order',
      scope: WRITE,
      data: z.strictObject({ product }),
      stream: (_, id) => id,
      routes: [{ method: 'POST', path: '/api/orders', body: 'json', created: '/api/orders/{id}' }],
    },
    'orders.pay': {
      summary: 'Pay an order of your own',
      scope: WRITE,
      data: z.strictObject({ id: z.string(), cents }),
      stream: ({ id }) => id,
      routes: [{ method: 'POST', path: '/api/orders/{id}/payment', body: 'json' }],
    },
  },
  events: {
    'orders.placed': z.object({ product, cents }),
    'orders.paid': z.object({ cents }),
  },
  collections: {
    orders: { schema: order, indexes: { customer: { fields: ['customer', 'placedAt'] } } },
  },

  touches: ({ stream }) => [{ collection: 'orders', ids: [stream] }],
  context: ({ stream }, documents) => documents.get('orders', stream),
  rules: {
    'orders.place': {
      // The id comes back if a client uses its idempotency key again after the horizon.
      unless: [(_, order) => order !== undefined && 'the order exists already'],
      events: ({ data: { product } }) => [{ type: 'orders.placed', data: { product, cents: PRICES[product] } }],
    },
    'orders.pay': {
      unless: [
        (_, order) => !order && 'there is no such order',
        ({ actor }, order) => order?.customer !== actor && 'only its customer may pay an order',
        (_, order) => order?.state === 'paid' && 'the order is paid already',
        ({ data }, order) => data.cents !== order?.cents && `the order costs ${order?.cents} cents`,
      ],
      events: ({ data: { cents } }) => [{ type: 'orders.paid', data: { cents } }],
    },
  },
  projections: {
    'orders.placed': ({ stream, data, actor, time }) => [
      {
        collection: 'orders',
        document: { _id: stream, ...data, customer: actor, state: 'placed' as const, placedAt: time },
      },
    ],
    'orders.paid': ({ stream }, documents) => {
      const order = documents.get('orders', stream)
      if (!order) throw new Error('the order does not exist')
      return [{ collection: 'orders', document: { ...order, state: 'paid' as const } }]
    },
  },

  views: {
    customers: {
      schema: z.object({ orders: z.int(), cents: z.int() }),
      zero: { orders: 0, cents: 0 },
      feeds: {
        'orders.paid': {
          key: ({ actor }) => actor,
          fold: ({ orders, cents }, { data }) => ({ orders: orders + 1, cents: cents + data.cents }),
        },
      },
    },
  },

  queries: ({ one, page, live }) => [
    one({
      path: '/api/orders/{id}',
      name: 'one',
      summary: 'An order of your own',
      scope: READ,
      item,
      shape: ({ _id, ...order }, { caller }) => (order.customer === caller.id ? { id: _id, ...order } : undefined),
    }),
    page({
      path: '/api/orders',
      name: 'mine',
      summary: 'Your own orders, newest first',
      scope: READ,
      item,
      index: 'customer',
      where: (_, { id }) => ({ customer: id }),
      newestFirst: true,
      shape: ({ _id, ...order }) => ({ id: _id, ...order }),
    }),
    one({
      path: '/api/customers/{id}',
      name: 'spent',
      summary: 'What you have spent',
      scope: READ,
      from: 'customers',
      shape: ({ _id, ...spent }, { caller }) => (_id === caller.id ? spent : undefined),
    }),
    live({
      path: '/api/orders/live',
      name: 'live',
      summary: 'What you do with orders, as it happens',
      scope: READ,
      of: 'events',
      item: z.object({ type: z.string(), order: z.string() }),
      keep: ({ actor }, _, { id }) => actor === id,
      shape: ({ type, stream }) => ({ type, order: stream }),
    }),
  ],
})
