import { decideDomain } from 'millrace'
import { collections, commands, type Documents, events, MANAGE, READ, WRITE } from './model.ts'
import { queries } from './queries.ts'
import { rules, touches } from './rules.ts'
import { views } from './views.ts'

/** The change of a product's stock by an order. */
function addStock(sku: string, quantity: number, documents: Documents) {
  const product = documents.get('products', sku)
  if (!product) throw new Error(`the product ${sku} is not there`)
  return { collection: 'products' as const, document: { ...product, stock: product.stock + quantity } }
}

/** A shop: products with a stock, orders and customers. */
export default decideDomain({
  name: 'orders',
  topic: { name: 'orders', partitions: 6 },
  ordering: 'ordered',
  roles: { member: [READ, WRITE], administrator: [READ, WRITE, MANAGE] },
  commands,
  events,
  collections,
  touches,
  rules,
  projections: {
    'orders.stocked': ({ data: { sku, name, price, add } }, documents) => {
      const { stock = 0 } = documents.get('products', sku) ?? {}
      return [{ collection: 'products', document: { _id: sku, name, price, stock: stock + add } }]
    },
    'orders.placed': ({ time, data: { order, ...data } }, documents) => [
      addStock(data.sku, -data.quantity, documents),
      { collection: 'orders', document: { _id: order, ...data, placedAt: time } },
    ],
    'orders.cancelled': ({ data: { order, sku, quantity } }, documents) => [
      addStock(sku, quantity, documents),
      { collection: 'orders', remove: order },
    ],
    'orders.customer-blocked': ({ time, data }) => [
      { collection: 'blockedCustomers', document: { _id: data.customerId, since: time } },
    ],
  },
  views,
  queries,
})
