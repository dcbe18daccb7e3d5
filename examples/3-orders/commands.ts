import { z } from 'zod'
import type { CommandType, Fields } from '#domains/domain.ts'

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

const product = ({ sku }: Fields) => `product/${sku}`
const customer = ({ customerId }: Fields) => `customer/${customerId}`

export const commands = {
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
    stream: customer,
    routes: [{ method: 'PUT', path: '/api/customers/{customerId}/block', body: 'none' }],
  },
} satisfies { [type: string]: CommandType }
