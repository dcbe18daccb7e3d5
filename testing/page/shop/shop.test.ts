import { given } from 'millrace/testing'
import { test } from 'vitest'
import orders from './domain.ts'

const [data, stream] = [{ id: 'first' }, 'first']
const placed = { type: 'orders.placed', stream, data: { product: 'kettle', price: 4900 }, actor: 'ada' } as const
const pay = { type: 'orders.pay', data: { id: 'first', cents: 4900 }, actor: 'ada' } as const
const cancel = { type: 'orders.cancel', data, actor: 'ada' } as const
const refund = { type: 'orders.refund', data, actor: 'root' } as const

test('an order has the price of its time, and belongs to its customer', async () => {
  await given(orders)
    .when({ type: 'orders.place', id: 'first', data: { product: 'kettle' }, actor: 'ada' })
    .thenExpect({
      events: [{ type: 'orders.placed', data: { product: 'kettle', price: 4900 } }],
      documents: { orders: { first: { customer: 'ada', state: 'placed' } } },
    })
})

test('its customer pays it', async () => {
  await given(orders, placed)
    .when(pay)
    .thenExpect({
      events: [{ type: 'orders.paid', data: { price: 4900 } }],
      documents: { orders: { first: { state: 'paid' } } },
    })
})

test.each([
  ['paying too little', [placed], { ...pay, data: { id: 'first', cents: 4000 } }, 'the order costs 4900 cents'],
  ['paying twice', [placed, pay], pay, 'the order is paid'],
  ['paying the order of another', [placed], { ...pay, actor: 'bob' }, 'only its customer may pay an order'],
  ['cancelling a paid order', [placed, pay], cancel, 'the order is paid'],
  ['cancelling nothing', [], cancel, 'there is no such order'],
  ['refunding an order that is not paid', [placed], refund, 'the order is placed'],
])('%s is rejected', async (_, facts, command, rejected) => {
  await given(orders, ...facts)
    .when(command)
    .thenExpect({ rejected })
})

test('a refund takes the payment back', async () => {
  await given(orders, placed, pay).thenQuery('revenue', {}, { revenue: 4900 })
  await given(orders, placed, pay, refund).thenQuery('revenue', {}, { revenue: 0 })
})

test('an order is visible to its customer, and to nobody else', async () => {
  const history = [{ type: 'orders.placed' }, { type: 'orders.cancelled' }]
  const cancelled = given(orders, placed, cancel)
  await cancelled.thenQuery('mine', {}, { items: [{ id: 'first', state: 'cancelled' }] }, { caller: { id: 'ada' } })
  await cancelled.thenQuery('history', data, { items: history }, { caller: { id: 'ada' } })
  await cancelled.thenQuery('mine', {}, { items: [] }, { caller: { id: 'bob' } })
  await cancelled.thenQuery('history', data, { problem: 404 }, { caller: { id: 'bob' } })
})

test('an administrator reads any order', async () => {
  const caller = { id: 'root', scopes: ['orders:read', 'orders:manage'] }
  await given(orders, placed).thenQuery('one', data, { id: 'first', customer: 'ada' }, { caller })
  await given(orders, placed).thenQuery(
    'one',
    data,
    { problem: 404 },
    { caller: { ...caller, scopes: ['orders:read'] } },
  )
})

test('a live list has the orders of its caller', async () => {
  const paid = given(orders, placed).when(pay)
  const changed = [{ kind: 'changed', item: { id: 'first', state: 'paid' } }] as const
  await paid.thenQuery('follow', {}, [...changed], { caller: { id: 'ada' } })
  await paid.thenQuery('follow', {}, [], { caller: { id: 'bob' } })
})

test('each kind of query of the page answers', async () => {
  const pot = { ...placed, stream: 'second', data: { product: 'pot', price: 1900 } } as const
  const shop = given(orders, placed, pot)
  const ada = { caller: { id: 'ada' } }
  await shop.thenQuery('mine', {}, { items: [{ id: 'second' }, { id: 'first' }] }, ada)
  await shop.thenQuery('mine', { since: '2100-01-01T00:00:00Z' }, { items: [] }, ada)
  await shop.thenQuery('one', { id: 'first' }, { problem: 404 }, { caller: { id: 'bob' } })
  await shop.thenQuery('compare', { first: 'first', second: 'second' }, { cents: -3000 }, ada)
  await shop.thenQuery('compare', { first: 'first', second: 'none' }, { problem: 404 }, ada)
  await shop.thenQuery('export', { product: 'pot' }, [{ id: 'second', price: 1900 }])
  await shop.thenQuery('days', { product: 'pot' }, { items: [{ day: '2030-01-01', orders: 1 }] })
  await given(orders, placed)
    .when(pay)
    .thenQuery('live', { id: 'first' }, [{ type: 'orders.paid', by: 'ada' }], ada)
})
