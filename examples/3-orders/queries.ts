import { z } from 'zod'
import type { Document, Touch, View } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { READ, sku } from './commands.ts'
import type { Order, Product } from './documents.ts'

const product = z.object({ sku, name: z.string(), price: z.int(), stock: z.int() })
const order = z.object({
  id: z.string(),
  sku,
  name: z.string().describe('The current name of the product'),
  customer: z.string(),
  quantity: z.int(),
  price: z.int().describe('The price in cents at the time of the order'),
  placedAt: z.iso.datetime(),
})

function productOf(document: Document) {
  const { _id: sku, name, price, stock } = document as Product
  return { sku, name, price, stock }
}

const withProduct = ({ sku }: Document): Touch[] => [{ collection: 'products', ids: [String(sku)] }]

/** An order with its product's name, which is joined on reading, since it may change. */
function orderOf(document: Document, documents: View) {
  const { _id: id, ...rest } = document as Order
  return { id, name: String(documents.get('products', rest.sku)?.name ?? ''), ...rest }
}

const total = (slots: Document[], name: string) => slots.reduce((sum, slot) => sum + Number(slot[name]), 0)

export const queries = [
  {
    answers: 'page',
    path: '/api/products',
    name: 'products.list',
    summary: 'The products by name',
    scope: READ,
    item: product,
    from: 'products',
    index: 'name',
    shape: productOf,
  },
  {
    answers: 'view',
    path: '/api/products/{sku}',
    name: 'products.one',
    summary: 'A product',
    scope: READ,
    params: z.object({ sku }),
    item: product,
    touches: ({ sku }) => [{ collection: 'products', ids: [String(sku)] }],
    answer(documents, { sku }) {
      const found = documents.get('products', String(sku))
      return found && productOf(found)
    },
  },
  {
    answers: 'page',
    path: '/api/orders',
    name: 'list',
    summary: 'The orders by time, of all products or of one',
    scope: READ,
    params: z.object({ sku: sku.optional() }),
    item: order,
    from: 'orders',
    index: ({ sku }) => (sku === undefined ? 'time' : 'sku'),
    where: ({ sku }) => (sku === undefined ? {} : { sku }),
    numbered: { sorts: { placedAt: {} }, isByIndex: () => true },
    join: withProduct,
    shape: (document, { documents }) => orderOf(document, documents),
  },
  {
    answers: 'view',
    path: '/api/orders/{id}',
    name: 'one',
    summary: 'An order',
    scope: READ,
    item: order,
    touches({ id }, _, documents) {
      const found = documents.get('orders', String(id))
      return [{ collection: 'orders', ids: [String(id)] }, ...(found ? withProduct(found) : [])]
    },
    answer(documents, { id }) {
      const found = documents.get('orders', String(id))
      return found && orderOf(found, documents)
    },
  },
  {
    answers: 'total',
    path: '/api/orders/total',
    name: 'total',
    summary: 'The revenue in cents and the number of orders',
    scope: READ,
    overview: { part: 'orders' },
    total: (slots) => JSON.stringify({ revenue: total(slots, 'revenue'), orders: total(slots, 'orders') }),
  },
] as const satisfies readonly Query[]
