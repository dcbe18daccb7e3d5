import type { DocumentOf, QueryKinds } from 'millrace'
import { z } from 'zod'
import { type collections, type Documents, type events, MANAGE, READ, sku } from './model.ts'
import type { views } from './views.ts'

type Kinds = QueryKinds<typeof collections, typeof events, typeof views>

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

const productOf = ({ _id, name, price, stock }: DocumentOf<typeof collections, 'products'>) => ({
  sku: _id,
  name,
  price,
  stock,
})

type Order = DocumentOf<typeof collections, 'orders'>

const withProduct = ({ sku }: Order) => [{ collection: 'products' as const, ids: [sku] }]

/** An order with its product's name, which is joined on reading, since it may change. */
const orderOf = ({ _id, sku, customer, quantity, price, placedAt }: Order, documents: Documents) => ({
  id: _id,
  name: documents.get('products', sku)?.name ?? '',
  sku,
  customer,
  quantity,
  price,
  placedAt,
})

const totals = z.object({ revenue: z.int(), orders: z.int() })
type Total = z.infer<typeof totals>
const sum = (slots: Total[], name: keyof Total) => slots.reduce((sum, slot) => sum + slot[name], 0)

export const queries = (kinds: Kinds) => [...ofProducts(kinds), ...ofOrders(kinds), ...ofCustomers(kinds)]

const ofProducts = ({ page, composed, live }: Kinds) => [
  page({
    path: '/api/products',
    name: 'products.list',
    summary: 'The products by name',
    scope: READ,
    item: product,
    from: 'products',
    index: 'name',
    shape: productOf,
  }),
  live({
    path: '/api/products/live',
    name: 'products.live',
    summary: 'The products in stock as they change, as server-sent events',
    scope: READ,
    item: product,
    of: { collection: 'products' },
    keep: ({ stock }) => stock > 0,
    shape: productOf,
  }),
  composed({
    path: '/api/products/{sku}',
    name: 'products.one',
    summary: 'A product',
    scope: READ,
    params: z.object({ sku }),
    item: product,
    touches: ({ sku }) => [{ collection: 'products', ids: [sku] }],
    answer(documents, { sku }) {
      const found = documents.get('products', sku)
      return found && productOf(found)
    },
  }),
]

const ofOrders = ({ page, composed, total }: Kinds) => [
  page({
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
  }),
  composed({
    path: '/api/orders/{id}',
    name: 'one',
    summary: 'An order',
    scope: READ,
    item: order,
    touches({ id }, _, documents) {
      const found = documents.get('orders', id)
      return [{ collection: 'orders', ids: [id] }, ...(found ? withProduct(found) : [])]
    },
    answer(documents, { id }) {
      const found = documents.get('orders', id)
      return found && orderOf(found, documents)
    },
  }),
  total({
    path: '/api/orders/total',
    name: 'total',
    summary: 'The revenue in cents and the number of orders',
    scope: READ,
    overview: { part: 'orders' },
    item: totals,
    total: (slots) => JSON.stringify({ revenue: sum(slots, 'revenue'), orders: sum(slots, 'orders') }),
  }),
]

const customer = z.object({ customer: z.string(), orders: z.int(), spent: z.int() })

const ofCustomers = ({ page }: Kinds) => [
  page({
    path: '/api/customers',
    name: 'customers.list',
    summary: 'The customers by what they have spent, the most first',
    scope: MANAGE,
    item: customer,
    from: 'customers',
    index: 'spent',
    newestFirst: true,
    shape: ({ _id, orders, spent }) => ({ customer: _id, orders, spent }),
  }),
]
