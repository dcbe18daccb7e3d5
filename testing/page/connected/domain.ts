import { appendDomain } from 'millrace'
import { z } from 'zod'

const sku = z.string().min(1)
const cents = z.int().min(1)
const time = z.iso.datetime()
const order = z.object({ sku, cents, customer: z.string(), time })

/** Orders that another program writes to its topic, as JSON without a key. */
export default appendDomain({
  name: 'orders',
  commands: {
    'orders.record': {
      data: z.object({ sku, cents, customer: z.string() }),
      scope: 'orders:write',
      stream: ({ customer }) => `customer/${customer}`,
      routes: [{ method: 'POST', path: '/api/orders', body: 'json' }],
    },
  },
  topic: { name: 'shop.orders', partitions: 6, plain: 'orders.record' },
  roles: { member: ['orders:read'], administrator: ['orders:write'] },
  documents: {
    collection: 'orders',
    schema: order,
    indexes: { customer: { fields: ['customer', 'time'] } },
    document: ({ data, time }) => ({ ...data, time }),
  },
  queries: ({ page }) => [
    page({
      path: '/api/orders',
      name: 'mine',
      scope: 'orders:read',
      index: 'customer',
      where: (_, { id }) => ({ customer: id }),
      shape: ({ _id, ...order }) => ({ id: _id, ...order }),
    }),
  ],
})
