import type { TouchOf } from 'millrace'
import { type collections, MANAGE, type OrderCommand, type Rules } from './model.ts'

/** The product and the order belong to the stream of the product. The customer belongs to another stream, and is only read. */
export function touches({ id, type, actor, data }: OrderCommand): TouchOf<typeof collections>[] {
  if (type === 'orders.block') return [{ collection: 'blockedCustomers', ids: [data.customerId] }]
  return [
    { collection: 'blockedCustomers', ids: [actor] },
    { collection: 'orders', ids: ['orderId' in data ? data.orderId : id] },
    { collection: 'products', ids: [data.sku] },
  ]
}

export const rules: Rules = {
  'orders.stock': { events: ({ data }) => [{ type: 'orders.stocked', data }] },
  'orders.place': {
    unless: [
      ({ actor }, documents) => documents.get('blockedCustomers', actor) !== undefined && 'you may not order',
      ({ data }, documents) => !documents.get('products', data.sku) && 'there is no such product',
      // The id comes back if a client uses its idempotency key again after the horizon.
      ({ id }, documents) => documents.get('orders', id) !== undefined && 'an order with this id already exists',
      ({ data }, documents) => {
        const { stock = 0 } = documents.get('products', data.sku) ?? {}
        return stock < data.quantity && `only ${stock} left in stock`
      },
    ],
    events: ({ id, actor, data }, documents) => {
      const { price = 0 } = documents.get('products', data.sku) ?? {}
      return [{ type: 'orders.placed', data: { order: id, customer: actor, ...data, price } }]
    },
  },
  'orders.cancel': {
    unless: [
      ({ data }, documents) => documents.get('orders', data.orderId)?.sku !== data.sku && 'there is no such order',
      ({ actor, scopes, data }, documents) =>
        documents.get('orders', data.orderId)?.customer !== actor &&
        !scopes.includes(MANAGE) &&
        'only its customer or an administrator may cancel an order',
    ],
    events: ({ data }, documents) => {
      const order = documents.get('orders', data.orderId)
      if (!order) return []
      const { _id, placedAt, ...placed } = order
      return [{ type: 'orders.cancelled', data: { order: _id, ...placed } }]
    },
  },
  'orders.block': {
    unless: [
      ({ data }, documents) =>
        documents.get('blockedCustomers', data.customerId) !== undefined && 'the customer is blocked already',
    ],
    events: ({ data }) => [{ type: 'orders.customer-blocked', data }],
  },
}
