import { given } from 'millrace/testing'
import { expect, test } from 'vitest'
import { PLAIN } from '#core/delivery.ts'
import { commandTypes } from '#core/registry.ts'
import { readCommand } from '#functions/persist/command.ts'
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

test('a record that another program has written to the topic is an anonymous command', () => {
  const delivery = {
    specversion: '1.0',
    id: 'partition:2/offset:41',
    source: '/apis/v1/namespaces/millrace/kafkasources/orders#shop.orders',
    type: PLAIN,
    time: '2030-01-01T00:00:00.000Z',
    knativekafkapartition: '2',
    knativekafkaoffset: '41',
    data: Buffer.from(JSON.stringify(record.data)),
  }
  const known = { types: commandTypes([orders]), topics: new Map([['shop.orders', orders]]) }
  const read = readCommand(delivery, known, { kind: 'plain' })
  const { type, data } = record
  expect(read).toMatchObject({ ok: true, received: { command: { type, data, actor: 'anonymous' } } })
  const broken = readCommand({ ...delivery, data: Buffer.from('{') }, known, { kind: 'plain' })
  expect(broken).toMatchObject({ ok: false, failure: { message: expect.stringContaining('can not be decoded') } })
})
