import { given } from 'millrace/testing'
import { test } from 'vitest'
import orders from './domain.ts'

const placed = {
  type: 'orders.placed',
  stream: 'first',
  data: { product: 'kettle', cents: 4900 },
  actor: 'ada',
} as const
const pay = { type: 'orders.pay', data: { id: 'first', cents: 4900 }, actor: 'ada' } as const

test('a customer pays an order', async () => {
  await given(orders, placed)
    .when(pay)
    .thenExpect({
      events: [{ type: 'orders.paid', data: { cents: 4900 } }],
      documents: { orders: { first: { customer: 'ada', state: 'paid' } } },
    })
})

test.each([
  ['paying nothing', [], pay, 'there is no such order'],
  ['paying the order of another', [placed], { ...pay, actor: 'bob' }, 'only its customer may pay an order'],
  ['paying twice', [placed, pay], pay, 'the order is paid already'],
  ['paying too little', [placed], { ...pay, data: { id: 'first', cents: 1 } }, 'the order costs 4900 cents'],
])('%s is rejected', async (_, facts, command, rejected) => {
  await given(orders, ...facts)
    .when(command)
    .thenExpect({ rejected })
})
