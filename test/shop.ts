import { z } from 'zod'
import { decideDomain } from '#domains/decide-domain.ts'

const id = z.string()
const command = <const Name extends string, Data extends z.ZodType<{ id: string }>>(name: Name, data: Data) => ({
  data,
  stream: ({ id }: z.output<Data>) => `order/${id}`,
  routes: [{ method: 'POST' as const, path: `/api/shop/${name}`, body: 'json' as const }],
})
const order = z.object({ customer: z.string(), state: z.string(), memo: z.string() })
const item = z.object({ id, state: z.string(), from: z.string().optional() })

/** Orders that are placed, written, given to another customer, and cancelled. Their memos are not for customers. */
export const shop = decideDomain({
  name: 'shop',
  topic: { name: 'shop', partitions: 1 },
  ordering: 'ordered',
  commands: {
    'shop.place': command('place', z.object({ id, customer: z.string() })),
    'shop.write': command('write', z.object({ id, state: z.string().optional(), memo: z.string().optional() })),
    'shop.give': command('give', z.object({ id, customer: z.string() })),
    'shop.cancel': command('cancel', z.object({ id })),
  },
  events: {
    written: z.object({
      id,
      customer: z.string().optional(),
      state: z.string().optional(),
      memo: z.string().optional(),
    }),
    cancelled: z.object({ id }),
  },
  collections: { orders: { schema: order, indexes: {} }, drafts: { schema: order, indexes: {} } },
  touches: ({ data }) => ['orders' as const, 'drafts' as const].map((collection) => ({ collection, ids: [data.id] })),
  rules: {
    'shop.place': { events: ({ data }) => [{ type: 'written', data: { ...data, state: 'placed' } }] },
    'shop.write': { events: ({ data }) => [{ type: 'written', data }] },
    'shop.give': { events: ({ data }) => [{ type: 'written', data }] },
    'shop.cancel': { events: ({ data }) => [{ type: 'cancelled', data }] },
  },
  projections: {
    written({ data: { id, customer, state, memo } }, documents) {
      const before = documents.get('orders', id)
      const document = {
        _id: id,
        customer: customer ?? before?.customer ?? '',
        state: state ?? before?.state ?? '',
        memo: memo ?? before?.memo ?? '',
      }
      return [
        { collection: 'orders', document },
        { collection: 'drafts', document },
      ]
    },
    cancelled: ({ data: { id } }) => [{ collection: 'orders', remove: id }],
  },
  /** How often the orders of each state were written. */
  views: {
    states: {
      schema: z.object({ count: z.int() }),
      zero: { count: 0 },
      feeds: {
        written: {
          key: ({ data: { state } }) => (state === undefined ? [] : [state]),
          fold: ({ count }) => ({ count: count + 1 }),
        },
      },
    },
  },
  queries: ({ live }) => [
    live({
      path: '/api/shop/states/live',
      name: 'states',
      item: z.object({ id: z.string(), state: z.string() }),
      of: { collection: 'states' },
      keep: ({ count }) => count < 4,
      shape: ({ _id, count, ...rest }) => ({ id: _id, state: [count, ...Object.keys(rest)].join() }),
    }),
    live({
      path: '/api/shop/live',
      name: 'mine',
      item,
      of: { collection: 'orders' },
      keep: ({ customer }, _, caller) => customer === caller.id,
      shape: ({ _id, state }, { before }) => ({ id: _id, state, ...(before ? { from: before.state } : {}) }),
    }),
    live({
      path: '/api/shop/events/live',
      name: 'events',
      item: z.object({ type: z.string() }),
      of: 'events',
      keep: () => true,
      shape: ({ type }) => ({ type }),
    }),
  ],
})
