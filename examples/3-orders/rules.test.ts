import { type CommandTo, given } from 'millrace/testing'
import { test } from 'vitest'
import domain from './domain.ts'
import { MANAGE, WRITE } from './model.ts'

type Command = CommandTo<typeof domain>

const person =
  (actor: string, ...scopes: string[]) =>
  (command: Command): Command => ({ ...command, actor, scopes })
const [ada, bob, root] = [person('ada', WRITE), person('bob', WRITE), person('root', WRITE, MANAGE)]

const first = { sku: 'kettle', orderId: 'first' }
const place = (quantity: number, sku = 'kettle'): Command => ({ type: 'orders.place', data: { sku, quantity } })
const cancel = (data = first): Command => ({ type: 'orders.cancel', data })

const stream = 'product/kettle'
const kettle = { sku: 'kettle', name: 'Kettle', price: 4900, add: 5 }
const order = { order: 'first', customer: 'ada', sku: 'kettle', quantity: 2, price: 4900 }
const stocked = { type: 'orders.stocked', stream, data: kettle } as const
const placed = { type: 'orders.placed', stream, data: order, actor: 'ada' } as const
const cancelled = { type: 'orders.cancelled', stream, data: order, actor: 'ada' } as const
const bobIsBlocked = { type: 'orders.customer-blocked', stream: 'customer/bob', data: { customerId: 'bob' } } as const

test('given a product, when it is stocked again, then it has the sum and the new price', async () => {
  await given(domain, stocked)
    .when(root({ type: 'orders.stock', data: { sku: 'kettle', name: 'Red kettle', price: 5900, add: 3 } }))
    .thenExpect({ documents: { products: { kettle: { name: 'Red kettle', price: 5900, stock: 8 } } } })
})

test('given a stock, when a part is ordered, then the rest is left and the order keeps its price', async () => {
  await given(domain, stocked)
    .when({ ...ada(place(2)), id: 'first' })
    .thenExpect({
      events: [{ type: 'orders.placed', data: order }],
      documents: {
        products: { kettle: { stock: 3 } },
        orders: { first: { sku: 'kettle', customer: 'ada', quantity: 2, price: 4900 } },
      },
    })
})

test.each([
  ['its customer', ada],
  ['an administrator', root],
])('given an order, when %s cancels it, then the stock is back', async (_, who) => {
  await given(domain, stocked, placed)
    .when(who(cancel()))
    .thenExpect({ documents: { products: { kettle: { stock: 5 } }, orders: { first: null } } })
})

test.each([
  ['ordering more than the stock', [stocked, placed], bob(place(4)), 'only 3 left in stock'],
  ['ordering an unknown product', [stocked], bob(place(1, 'pan')), 'there is no such product'],
  ['using an id again', [stocked, placed], { ...ada(place(2)), id: 'first' }, 'an order with this id already exists'],
  ['ordering as a blocked customer', [stocked, bobIsBlocked], bob(place(1)), 'you may not order'],
  [
    'cancelling the order of another',
    [stocked, placed],
    bob(cancel()),
    'only its customer or an administrator may cancel an order',
  ],
  ['cancelling an order again', [stocked, placed, cancelled], ada(cancel()), 'there is no such order'],
  [
    'cancelling by way of another product',
    [stocked, placed],
    ada(cancel({ ...first, sku: 'pot' })),
    'there is no such order',
  ],
])('%s is rejected', async (_, facts, command, rejected) => {
  await given(domain, ...facts)
    .when(command)
    .thenExpect({ rejected })
})

test('the total adds placed orders, subtracts cancelled ones, and ignores all else', async () => {
  await given(domain, stocked, placed).thenQuery('total', {}, { revenue: 9800, orders: 1 })
  await given(domain, stocked, placed, cancelled, bobIsBlocked).thenQuery('total', {}, { revenue: 0, orders: 0 })
})

test('a customer has the orders of all products, without those that were cancelled', async () => {
  const pots = { ...order, order: 'second', sku: 'pot', price: 1900, quantity: 3 }
  const pot = { type: 'orders.stocked', stream: 'product/pot', data: { ...kettle, sku: 'pot' } } as const
  const second = { ...placed, stream: 'product/pot', data: pots }
  await given(domain, stocked, pot, placed, second)
    .when(root(cancel()))
    .thenExpect({ documents: { customers: { ada: { orders: 1, spent: 5700 } } } })
  const { customer } = order
  const items = [{ customer, orders: 2, spent: 15_500 }]
  await given(domain, stocked, pot, placed, second).thenQuery('customers.list', {}, { items })
})

test('whoever follows the products in stock sees each change, and loses a product that is sold out', async () => {
  const item = { sku: 'kettle', name: 'Kettle', price: 4900, stock: 5 }
  const all = given(domain, stocked, placed, cancelled, { ...placed, data: { ...order, order: 'second', quantity: 5 } })
  await all.thenQuery('products.live', {}, [
    { kind: 'inserted', item },
    { kind: 'changed', item: { ...item, stock: 3 } },
    { kind: 'changed', item },
    { kind: 'removed', item },
  ])
  await all
    .when({ ...ada(cancel({ ...first, orderId: 'second' })) })
    .thenQuery('products.live', {}, [{ kind: 'inserted', item }])
})

test('an order in a list has the current name of its product', async () => {
  const renamed = { ...stocked, data: { ...kettle, name: 'Red kettle' } }
  await given(domain, stocked, placed, renamed).thenQuery(
    'list',
    { sku: 'kettle' },
    { items: [{ id: 'first', name: 'Red kettle', price: 4900, customer: 'ada' }] },
  )
})
