import type { Command, Decision, Touch, View } from '#domains/domain.ts'
import { type commands, MANAGE } from './commands.ts'
import type { Order, Product } from './documents.ts'

type Type = keyof typeof commands

/** The product and the order belong to the stream of the product. The customer belongs to another stream, and is only read. */
export function touches({ id, actor, data }: Command): Touch[] {
  const customer = { collection: 'blockedCustomers', ids: [String(data.customerId ?? actor)] }
  if (data.sku === undefined) return [customer]
  const order = { collection: 'orders', ids: [String(data.orderId ?? id)] }
  return [customer, order, { collection: 'products', ids: [String(data.sku)] }]
}

const rules: { [type in Type]: (command: Command, documents: View) => Decision } = {
  'orders.stock': ({ data }) => ({ events: [{ type: 'orders.stocked', data }] }),
  'orders.place': place,
  'orders.cancel': cancel,
  'orders.block': ({ data }, documents) =>
    documents.get('blockedCustomers', String(data.customerId))
      ? { rejected: 'the customer is blocked already' }
      : { events: [{ type: 'orders.customer-blocked', data }] },
}

export const decide = (command: Command, documents: View): Decision => rules[command.type as Type](command, documents)

function place({ id, actor, data }: Command, documents: View): Decision {
  const { sku = '', quantity = 0 } = data
  const product = documents.get('products', String(sku)) as Product | undefined
  if (documents.get('blockedCustomers', actor)) return { rejected: 'you may not order' }
  if (!product) return { rejected: 'there is no such product' }
  // The id comes back if a client uses its idempotency key again after the horizon.
  if (documents.get('orders', id)) return { rejected: 'an order with this id already exists' }
  if (product.stock < Number(quantity)) return { rejected: `only ${product.stock} left in stock` }
  // The event records the price, because the product's price may change later.
  return { events: [{ type: 'orders.placed', data: { order: id, sku, quantity, price: product.price } }] }
}

function cancel({ actor, scopes, data }: Command, documents: View): Decision {
  const order = documents.get('orders', String(data.orderId)) as Order | undefined
  if (!order || order.sku !== data.sku) return { rejected: 'there is no such order' }
  if (order.customer !== actor && !scopes.includes(MANAGE)) {
    return { rejected: 'only its customer or an administrator may cancel an order' }
  }
  const { _id, sku, quantity, price } = order
  return { events: [{ type: 'orders.cancelled', data: { order: _id, sku, quantity, price } }] }
}
