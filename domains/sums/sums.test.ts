import { given } from 'millrace/testing'
import { expect, test } from 'vitest'
import type { RecordCodec } from '#domains/domain.ts'
import { commands } from './commands.ts'
import domain from './domain.ts'

const record = domain.topic.record as RecordCodec

const add = (firstNumber: number, secondNumber: number, more: { requestId?: string } = {}) => ({
  type: 'sums.add' as const,
  data: { firstNumber, secondNumber, ...more },
})
const start = (total: number) => ({ type: 'sums.import' as const, data: { total } })
const command = commands['sums.add']

test('given nothing, when two numbers are added, then their sum is an event and a document', async () => {
  await given(domain)
    .when({ ...add(2, 3, { requestId: 'r-1' }), id: 'one' })
    .thenExpect({
      events: [{ type: 'sums.added', data: { requestId: 'r-1', firstNumber: 2, secondNumber: 3, result: 5 } }],
      documents: { sums: { one: { requestId: 'r-1', result: 5 } } },
    })
})

test('given no request id, when two numbers are added, then the command id replaces it', async () => {
  await given(domain)
    .when({ ...add(-2, 2), id: 'one' })
    .thenExpect({ documents: { sums: { one: { requestId: 'one', result: 0 } } } })
})

test.each([
  [2 ** 31 - 1, 1, 'does not fit'],
  [-(2 ** 31), -1, 'does not fit'],
  [2 ** 31, 0, ''],
  [0.5, 1, ''],
  ['1', 1, ''],
])('%s and %s are invalid', (firstNumber, secondNumber, reason) => {
  const result = command?.data.safeParse({ firstNumber, secondNumber })
  expect(result?.success).toBe(false)
  expect(result?.error?.message).toContain(reason)
})

test('the largest and the smallest sums that fit are valid', () => {
  expect(command?.data.safeParse({ firstNumber: 2 ** 31 - 1, secondNumber: 0 }).success).toBe(true)
  expect(command?.data.safeParse({ firstNumber: -(2 ** 31), secondNumber: 0 }).success).toBe(true)
})

test('the total is exact beyond the range of a number, and negative results reduce it', async () => {
  const huge = Number.MAX_SAFE_INTEGER
  await given(domain).thenQuery('total', {}, 0)
  await given(domain, start(huge), add(2, 0), add(1, 0)).thenQuery('total', {}, BigInt(huge) + 3n)
  await given(domain, start(huge), add(2, 0), add(0, -6)).thenQuery('total', {}, huge - 4)
})

test('the record has the form of the system that Millrace replaces, and decodes to its command', () => {
  const value = record.encode({ firstNumber: 2, secondNumber: 3 }, { id: 'one', time: '2030-01-01T00:00:00.000Z' })
  expect(JSON.parse(value)).toEqual({
    requestId: 'one',
    'First Number': 2,
    'Second Number': 3,
    Result: 5,
    produceTimestamp: Date.UTC(2030, 0, 1),
  })
  const command = { id: 'one', type: 'sums.add' }
  expect(record.decode(value, command)).toEqual({ requestId: 'one', firstNumber: 2, secondNumber: 3 })
  expect(() => record.decode('{"First Number":1}', command)).toThrow()
})

test('a starting total is a sum that counts once, even when its command is forgotten', async () => {
  const sum = { requestId: 'starting-total', firstNumber: 2 ** 53 - 1, secondNumber: 0, result: 2 ** 53 - 1 }
  await given(domain)
    .when(start(2 ** 53 - 1))
    .thenExpect({ events: [{ type: 'sums.added', data: sum }], documents: { sums: { 'starting-total': sum } } })
  await given(domain, start(7)).when(start(7)).thenExpect({ events: [] })
  await given(domain, start(7)).when(start(8)).thenExpect({ rejected: 'the starting total is already 7' })
  await given(domain)
    .when(start(2 ** 53))
    .thenExpect({ invalid: 'total: Too big: expected int to be <=9007199254740991' })
})

test('the record of a starting total has that form too, and decodes to its command', () => {
  const value = record.encode({ total: -5 }, { id: 'starting-total', time: '2030-01-01T00:00:00.000Z' })
  expect(JSON.parse(value)).toMatchObject({ requestId: 'starting-total', 'First Number': -5, Result: -5 })
  expect(record.decode(value, { id: 'starting-total', type: 'sums.import' })).toEqual({ total: -5 })
})
