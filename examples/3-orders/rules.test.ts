import { expect, test } from 'vitest'
import type { Fields, Tally } from '#domains/domain.ts'
import { given } from '#test/given.ts'
import domain from './domain.ts'
import { type commands, MANAGE, WRITE } from './model.ts'

const tally = domain.tally as Tally

const person =
  (actor: string, ...scopes: string[]) =>
  (type: keyof typeof commands, data: Fields, id?: string) => ({
    type,
    data,
    actor,
    scopes,
    ...(id === undefined ? {} : { id }),
  })
const [ada, bob, root] = [person('ada', WRITE), person('bob', WRITE), person('root', WRITE, MANAGE)]

const stocked = [root('orders.stock', { sku: 'kettle', name: 'Kettle', price: 4900, add: 5 })]
const place = ada('orders.place', { sku: 'kettle', quantity: 2 }, 'first')
const ordered = [...stocked, place]
const first = { sku: 'kettle', orderId: 'first' }

test('given a product, when it is stocked again, then it has the sum and the new price', async () => {
  const { document } = await given(domain, ...stocked).when(
    root('orders.stock', { sku: 'kettle', name: 'Red kettle', price: 5900, add: 3 }),
  )
  expect(document('products', 'kettle')).toEqual({ _id: 'kettle', name: 'Red kettle', price: 5900, stock: 8 })
})

test('given a stock, when a part is ordered, then the rest is left and the order keeps its price', async () => {
  const { events, document } = await given(domain, ...stocked).when(place)
  expect(events).toEqual([{ type: 'orders.placed', data: { order: 'first', sku: 'kettle', quantity: 2, price: 4900 } }])
  expect(document('products', 'kettle')).toMatchObject({ stock: 3 })
  expect(document('orders', 'first')).toMatchObject({ sku: 'kettle', customer: 'ada', quantity: 2, price: 4900 })
})

test.each([
  ['its customer', ada],
  ['an administrator', root],
])('given an order, when %s cancels it, then the stock is back', async (_, who) => {
  const { document } = await given(domain, ...ordered).when(who('orders.cancel', first))
  expect(document('products', 'kettle')).toMatchObject({ stock: 5 })
  expect(document('orders', 'first')).toBeUndefined()
})

test.each([
  [
    'ordering more than the stock',
    ordered,
    bob('orders.place', { sku: 'kettle', quantity: 4 }),
    'only 3 left in stock',
  ],
  [
    'ordering an unknown product',
    stocked,
    bob('orders.place', { sku: 'pan', quantity: 1 }),
    'there is no such product',
  ],
  ['using an id again', ordered, place, 'an order with this id already exists'],
  [
    'ordering as a blocked customer',
    [...stocked, root('orders.block', { customerId: 'bob' })],
    bob('orders.place', { sku: 'kettle', quantity: 1 }),
    'you may not order',
  ],
  [
    'cancelling the order of another',
    ordered,
    bob('orders.cancel', first),
    'only its customer or an administrator may cancel an order',
  ],
  [
    'cancelling an order again',
    [...ordered, ada('orders.cancel', first)],
    ada('orders.cancel', first),
    'there is no such order',
  ],
  [
    'cancelling by way of another product',
    ordered,
    ada('orders.cancel', { ...first, sku: 'pot' }),
    'there is no such order',
  ],
])('%s is rejected', async (_, history, command, reason) => {
  expect((await given(domain, ...history).when(command)).rejected).toBe(reason)
})

test('the tally adds placed orders, subtracts cancelled ones, and ignores all else', () => {
  const event = { data: { quantity: 2, price: 4900 }, stream: '', number: 1, command: '', time: '', actor: '' }
  const one = tally.add(tally.zero, { ...event, type: 'orders.placed' })
  expect(one).toEqual({ revenue: 9800, orders: 1 })
  expect(tally.add(one, { ...event, type: 'orders.stocked' })).toEqual(one)
  expect(tally.add(one, { ...event, type: 'orders.cancelled' })).toEqual(tally.zero)
})
