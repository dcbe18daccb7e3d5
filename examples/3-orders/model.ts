import { type CommandOf, type DocumentsOf, defineCommands, type RuleOf } from 'millrace'
import { z } from 'zod'

export const READ = 'orders:read'
export const WRITE = 'orders:write'
/** The scope of administrators, who stock products and block customers. */
export const MANAGE = 'orders:manage'

export const sku = z.string().regex(/^[\w-]{1,40}$/, 'must be 1 to 40 letters, digits, underscores or dashes')
const orderId = z.string().regex(/^[\w-]{1,64}$/)
const quantity = z.int().min(1).max(1000)
/** A price in cents, since a number holds whole cents exactly. */
const price = z.int().min(0).max(10_000_000)
/** The subject of a token. */
const customerId = z.string().regex(/^[!#$&-[\]-~]{1,200}$/)

const product = ({ sku }: { sku: string }) => `product/${sku}`

export const commands = defineCommands({
  'orders.stock': {
    summary: 'Add to the stock of products, one as JSON or many as an array or NDJSON',
    scope: MANAGE,
    data: z.strictObject({ sku, name: z.string().trim().min(1).max(100), price, add: quantity }),
    stream: product,
    routes: [{ method: 'POST', path: '/api/products', body: 'batch', created: '/api/products/{sku}' }],
  },
  'orders.place': {
    summary: 'Order a product',
    scope: WRITE,
    data: z.strictObject({ sku, quantity }),
    stream: product,
    routes: [{ method: 'POST', path: '/api/orders', body: 'json', created: '/api/orders/{id}' }],
    calls: [{ method: 'OrderService/PlaceOrder', read: (message) => message, answer: (data) => data }],
  },
  'orders.cancel': {
    summary: 'Cancel your own order, or any order as an administrator',
    scope: WRITE,
    data: z.strictObject({ sku, orderId }),
    stream: product,
    routes: [{ method: 'DELETE', path: '/api/products/{sku}/orders/{orderId}', body: 'none' }],
  },
  'orders.block': {
    summary: 'Block a customer, as an administrator',
    scope: MANAGE,
    data: z.strictObject({ customerId }),
    stream: ({ customerId }) => `customer/${customerId}`,
    routes: [{ method: 'PUT', path: '/api/customers/{customerId}/block', body: 'none' }],
  },
})

/** An order as its events tell it. The price is that of its time, because the product's price may change later. */
const placed = z.object({ order: z.string(), customer: z.string(), sku, quantity, price })

export const events = {
  'orders.stocked': z.object({ sku, name: z.string(), price, add: quantity }),
  'orders.placed': placed,
  'orders.cancelled': placed,
  'orders.customer-blocked': z.object({ customerId }),
}

export const collections = {
  /** Products by their SKU. */
  products: {
    schema: z.object({ name: z.string(), price: z.int(), stock: z.int() }),
    indexes: { name: { fields: ['name'] } },
  },
  orders: {
    schema: z.object({ sku, customer: z.string(), quantity: z.int(), price: z.int(), placedAt: z.iso.datetime() }),
    indexes: { time: { fields: ['placedAt'] }, sku: { fields: ['sku', 'placedAt'] } },
  },
  blockedCustomers: { schema: z.object({ since: z.iso.datetime() }), indexes: {} },
} as const

export type Documents = DocumentsOf<typeof collections>
export type OrderCommand = CommandOf<typeof commands>
export type Rules = {
  [Type in keyof typeof commands]: RuleOf<typeof commands, typeof events, Type, Documents>
}
