import { expect, test } from 'vitest'
import { given } from '#test/given.ts'
import type { Event, RecordCodec, Tally } from '../domain.ts'
import { commands } from './commands.ts'
import domain from './domain.ts'

const tally = domain.tally as Tally
const record = domain.topic.record as RecordCodec
const totalOf = domain.contract.queries[0].total as (slots: object[]) => string

const add = (firstNumber: number, secondNumber: number, more = {}) => ({
  type: 'sums.add',
  data: { firstNumber, secondNumber, ...more },
})
const command = commands['sums.add']
const event = (result: number) => ({ data: { result } }) as unknown as Event

test('given nothing, when two numbers are added, then their sum is an event and a document', async () => {
  const { events, document } = await given(domain).when({ ...add(2, 3, { requestId: 'r-1' }), id: 'one' })
  expect(events).toEqual([
    { type: 'sums.added', data: { requestId: 'r-1', firstNumber: 2, secondNumber: 3, result: 5 } },
  ])
  expect(document('sums', 'one')).toMatchObject({ requestId: 'r-1', result: 5 })
})

test('given no request id, when two numbers are added, then the command id replaces it', async () => {
  const { document } = await given(domain).when({ ...add(-2, 2), id: 'one' })
  expect(document('sums', 'one')).toMatchObject({ requestId: 'one', result: 0 })
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

test('the total is exact beyond the range of a number, and negative results reduce it', () => {
  const huge = { total: String(2n ** 53n), count: 1 }
  const first = tally.add(huge, event(1))
  const second = tally.add({ total: '-5', count: 1 }, event(-6))
  expect(first).toEqual({ total: '9007199254740993', count: 2 })
  expect(
    totalOf([
      { _id: 'a', ...first },
      { _id: 'b', ...second },
    ]),
  ).toBe('9007199254740982')
  expect(totalOf([])).toBe('0')
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

const start = (total: number) => ({ type: 'sums.import', id: 'starting-total', data: { total } })

test('a starting total is a sum that counts once, even when its command is forgotten', async () => {
  const { events, document } = await given(domain).when(start(2 ** 53 - 1))
  const sum = { requestId: 'starting-total', firstNumber: 2 ** 53 - 1, secondNumber: 0, result: 2 ** 53 - 1 }
  expect(events).toEqual([{ type: 'sums.added', data: sum }])
  expect(document('sums', 'starting-total')).toMatchObject(sum)
  expect((await given(domain, start(7)).when(start(7))).events).toEqual([])
  expect((await given(domain, start(7)).when(start(8))).rejected).toBe('the starting total is already 7')
  expect(commands['sums.import'].id()).toBe('starting-total')
  expect(commands['sums.import'].data.safeParse({ total: 2 ** 53 }).success).toBe(false)
})

test('the record of a starting total has that form too, and decodes to its command', () => {
  const value = record.encode({ total: -5 }, { id: 'starting-total', time: '2030-01-01T00:00:00.000Z' })
  expect(JSON.parse(value)).toMatchObject({ requestId: 'starting-total', 'First Number': -5, Result: -5 })
  expect(record.decode(value, { id: 'starting-total', type: 'sums.import' })).toEqual({ total: -5 })
})
