import { type Caller, type DocumentOf, type DocumentsOf, decideDomain } from 'millrace'
import { z } from 'zod'

const READ = 'orders:read'
const WRITE = 'orders:write'
const MANAGE = 'orders:manage'
/** Prices in cents. */
const PRICES = { kettle: 4900, pot: 1900 }

const id = z.string()
const product = z.enum(['kettle', 'pot'])
const price = z.int()
const order = z.object({
  product,
  price,
  customer: z.string(),
  state: z.enum(['placed', 'paid', 'cancelled', 'refunded']),
  placedAt: z.iso.datetime(),
})
const item = order.extend({ id })
const collections = {
  orders: {
    schema: order,
    indexes: { customer: { fields: ['customer', 'placedAt'] }, product: { fields: ['product', 'placedAt'] } },
  },
} as const

type Documents = DocumentsOf<typeof collections>
type Order = DocumentOf<typeof collections, 'orders'>

/** The order, which a rule has made sure of. */
function existing(order: Order | undefined): Order {
  if (!order) throw new Error('the order does not exist')
  return order
}

/** The change that stores an order. */
const stored = (document: Order) => [{ collection: 'orders' as const, document }]

/** True for the customer of an order, and for an administrator. */
const mayRead = ({ customer }: Order, caller: Caller) => customer === caller.id || caller.scopes.has(MANAGE)

/** An order of the caller. Nobody else learns that it exists. */
const ownOrder = {
  touches: ({ id }: { id: string }) => [{ collection: 'orders' as const, ids: [id] }],
  exists: (documents: Documents, { id }: { id: string }, caller: Caller) =>
    documents.get('orders', id)?.customer === caller.id,
}

/** Orders, which their customers pay or cancel. The stream of a command is the id of its order. */
export default decideDomain({
  name: 'orders',
  topic: { name: 'orders', partitions: 6 },
  // The commands of one order do not commute: of a payment and a cancellation the first one counts.
  ordering: 'ordered',
  roles: { member: [READ, WRITE], administrator: [READ, MANAGE] },

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
      data: z.strictObject({ id, cents: z.int().min(1) }),
      stream: ({ id }) => id,
      routes: [{ method: 'POST', path: '/api/orders/{id}/payment', body: 'json' }],
    },
    'orders.cancel': {
      summary: 'Cancel an order of your own that is not paid',
      scope: WRITE,
      data: z.strictObject({ id }),
      stream: ({ id }) => id,
      routes: [{ method: 'DELETE', path: '/api/orders/{id}', body: 'none' }],
    },
    'orders.refund': {
      summary: 'Refund an order, as an administrator',
      scope: MANAGE,
      data: z.strictObject({ id }),
      stream: ({ id }) => id,
      routes: [{ method: 'POST', path: '/api/orders/{id}/refund', body: 'none' }],
    },
  },
  events: {
    'orders.placed': z.object({ product, price }),
    'orders.paid': z.object({ price }),
    'orders.cancelled': z.object({}),
    'orders.refunded': z.object({ price }),
  },
  collections,

  touches: ({ stream }) => [{ collection: 'orders', ids: [stream] }],
  context: ({ stream }, documents) => documents.get('orders', stream),
  rules: {
    'orders.place': {
      // The id comes back if a client uses its idempotency key again after the horizon.
      unless: [(_, order) => order !== undefined && 'the order exists already'],
      events: ({ data: { product } }) => [{ type: 'orders.placed', data: { product, price: PRICES[product] } }],
    },
    'orders.pay': {
      unless: [
        (_, order) => !order && 'there is no such order',
        ({ actor }, order) => order?.customer !== actor && 'only its customer may pay an order',
        (_, order) => order?.state !== 'placed' && `the order is ${order?.state}`,
        ({ data }, order) => data.cents !== order?.price && `the order costs ${order?.price} cents`,
      ],
      events: ({ data: { cents } }) => [{ type: 'orders.paid', data: { price: cents } }],
    },
    'orders.cancel': {
      unless: [
        (_, order) => !order && 'there is no such order',
        ({ actor }, order) => order?.customer !== actor && 'only its customer may cancel an order',
        (_, order) => order?.state !== 'placed' && `the order is ${order?.state}`,
      ],
      events: () => [{ type: 'orders.cancelled', data: {} }],
    },
    'orders.refund': {
      unless: [
        (_, order) => !order && 'there is no such order',
        (_, order) => order?.state !== 'paid' && `the order is ${order?.state}`,
      ],
      events: (_, order) => [{ type: 'orders.refunded', data: { price: existing(order).price } }],
    },
  },
  projections: {
    'orders.placed': ({ stream, data, actor, time }) =>
      stored({ _id: stream, ...data, customer: actor, state: 'placed', placedAt: time }),
    'orders.paid': ({ stream }, documents) => stored({ ...existing(documents.get('orders', stream)), state: 'paid' }),
    'orders.cancelled': ({ stream }, documents) =>
      stored({ ...existing(documents.get('orders', stream)), state: 'cancelled' }),
    'orders.refunded': ({ stream }, documents) =>
      stored({ ...existing(documents.get('orders', stream)), state: 'refunded' }),
  },
  /** The revenue in cents. */
  views: {
    orderTotals: {
      schema: z.object({ revenue: z.int() }),
      slots: true,
      zero: { revenue: 0 },
      feeds: {
        'orders.paid': { fold: ({ revenue }, { data }) => ({ revenue: revenue + data.price }) },
        'orders.refunded': { fold: ({ revenue }, { data }) => ({ revenue: revenue - data.price }) },
      },
    },
  },

  queries: ({ page, one, composed, all, history, live, count, total }) => [
    page({
      path: '/api/orders',
      name: 'mine',
      summary: 'Your own orders, newest first, since a time',
      scope: READ,
      params: z.object({ since: z.iso.datetime().optional() }),
      item,
      index: 'customer',
      where: (_, caller) => ({ customer: caller.id }),
      range: ({ since }) => ({ from: since }),
      newestFirst: true,
      shape: ({ _id, ...order }) => ({ id: _id, ...order }),
    }),
    one({
      path: '/api/orders/{id}',
      name: 'one',
      summary: 'An order of your own, or any order as an administrator',
      scope: READ,
      item,
      shape(document, { caller }) {
        const { _id, ...order } = document
        return mayRead(document, caller) ? { id: _id, ...order } : undefined
      },
    }),
    composed({
      path: '/api/orders/changes/{first}/{second}',
      name: 'compare',
      summary: 'The difference in price between two orders of your own',
      scope: READ,
      item: z.object({ cents: z.int() }),
      touches: ({ first, second }) => [{ collection: 'orders', ids: [first, second] }],
      answer(documents, { first, second }, caller) {
        const [one, other] = [documents.get('orders', first), documents.get('orders', second)]
        if (one?.customer !== caller.id || other?.customer !== caller.id) return undefined
        return { cents: other.price - one.price }
      },
    }),
    all({
      path: '/api/orders/export/{product}',
      name: 'export',
      summary: 'All orders of a product, as an administrator',
      scope: MANAGE,
      params: z.object({ product }),
      item,
      index: 'product',
      where: ({ product }) => ({ product }),
      shape: ({ _id, ...order }) => ({ id: _id, ...order }),
    }),
    history({
      path: '/api/orders/{id}/history',
      name: 'history',
      summary: 'The events of an order of your own',
      scope: READ,
      parent: ownOrder,
      stream: ({ id }) => id,
      item: z.object({ number: z.int(), type: z.string(), time: z.iso.datetime(), by: z.string() }),
      shape: ({ number, type, time, actor }) => ({ number, type, time, by: actor }),
    }),
    live({
      path: '/api/orders/{id}/live',
      name: 'live',
      summary: 'New events of an order of your own as server-sent events',
      scope: READ,
      parent: ownOrder,
      of: 'events',
      item: z.object({ type: z.string(), by: z.string() }),
      keep: ({ stream }, { id }) => stream === id,
      shape: ({ type, actor }) => ({ type, by: actor }),
    }),
    live({
      path: '/api/orders/live',
      name: 'follow',
      summary: 'Your own orders as they change, as server-sent events',
      scope: READ,
      of: { collection: 'orders' },
      item,
      keep: ({ customer }, _, caller) => customer === caller.id,
      shape: ({ _id, ...order }) => ({ id: _id, ...order }),
    }),
    count({
      path: '/api/orders/days/{product}',
      name: 'days',
      summary: 'The number of orders of a product by day',
      scope: MANAGE,
      params: z.object({ product }),
      item: z.object({ day: z.string(), orders: z.int() }),
      index: 'product',
      where: ({ product }) => ({ product }),
      by: () => [{ field: 'placedAt', length: 10 }],
      shape: ({ placedAt }, orders) => ({ day: String(placedAt), orders }),
    }),
    total({
      path: '/api/orders/revenue',
      name: 'revenue',
      summary: 'The revenue in cents',
      scope: MANAGE,
      total: (slots) => JSON.stringify({ revenue: slots.reduce((sum, { revenue }) => sum + revenue, 0) }),
    }),
  ],
})
