import type { Change, Collection, Event, Fields, Tally, View } from '#domains/domain.ts'

/** A product, whose id is its SKU. */
export type Product = { _id: string; name: string; price: number; stock: number }
export type Order = { _id: string; sku: string; customer: string; quantity: number; price: number; placedAt: string }

export const collections: Collection[] = [
  { name: 'products', indexes: { name: { fields: ['name'] } } },
  { name: 'orders', indexes: { time: { fields: ['placedAt'] }, sku: { fields: ['sku', 'placedAt'] } } },
  { name: 'blockedCustomers', indexes: {} },
]

const projections: { [type: string]: (event: Event, documents: View) => Change[] } = {
  'orders.stocked': ({ data }, documents) => {
    const [sku, name, price] = [String(data.sku), String(data.name), Number(data.price)]
    const stock = Number(documents.get('products', sku)?.stock ?? 0) + Number(data.add)
    const product: Product = { _id: sku, name, price, stock }
    return [{ collection: 'products', document: product }]
  },
  'orders.placed': (event, documents) => {
    const { order: _id, sku, quantity, price } = event.data as PlacedOrder
    const order: Order = { _id, sku, customer: event.actor, quantity, price, placedAt: event.time }
    return [addStock(sku, -quantity, documents), { collection: 'orders', document: order }]
  },
  'orders.cancelled': ({ data }, documents) => {
    const { order, sku, quantity } = data as PlacedOrder
    return [addStock(sku, quantity, documents), { collection: 'orders', remove: order }]
  },
  'orders.customer-blocked': ({ time, data }) => [
    { collection: 'blockedCustomers', document: { _id: String(data.customerId), since: time } },
  ],
}

type PlacedOrder = { order: string; sku: string; quantity: number; price: number }

function addStock(sku: string, quantity: number, documents: View): Change {
  const product = documents.get('products', sku) as Product
  return { collection: 'products', document: { ...product, stock: product.stock + quantity } }
}

export function project(event: Event, documents: View): Change[] {
  const projection = projections[event.type]
  if (!projection) throw new Error(`unknown event type ${event.type}`)
  return projection(event, documents)
}

const SIGNS: { [type: string]: number } = { 'orders.placed': 1, 'orders.cancelled': -1 }

/** The revenue in cents and the number of orders, over all products. */
export const tally: Tally = {
  collection: { name: 'orderTotals', indexes: {} },
  zero: { revenue: 0, orders: 0 },
  add({ revenue, orders }, { type, data }): Fields {
    const sign = SIGNS[type] ?? 0
    const amount = sign === 0 ? 0 : Number(data.quantity) * Number(data.price)
    return { revenue: Number(revenue) + sign * amount, orders: Number(orders) + sign }
  },
}
