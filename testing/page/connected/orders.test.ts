import { test } from 'vitest'
import { given } from '#testing/given.ts'
import orders from './domain.ts'

const record = { type: 'orders.record', id: 'first', data: { sku: 'kettle', cents: 4900, customer: 'ada' } } as const

test('a record becomes a document, which its customer reads', async () => {
  const recorded = given(orders, record)
  await recorded.thenQuery('mine', {}, { items: [{ id: 'first', sku: 'kettle' }] }, { caller: { id: 'ada' } })
  await recorded.thenQuery('mine', {}, { items: [] }, { caller: { id: 'bob' } })
})

test('a record without a price is invalid', async () => {
  const data = { ...record.data, cents: 0 }
  await given(orders)
    .when({ ...record, data })
    .thenExpect({ invalid: 'cents: Too small: expected number to be >=1' })
})
