import { expect, test } from 'vitest'
import { Problem, type Request } from '#adapters/host/http.ts'
import { readCursor, readParams, writeCursor } from './page.ts'

const request = (query: string) => ({ query: new URLSearchParams(query) }) as Request

test('a cursor leads back to the position that it was made from', () => {
  const last = { _id: 'a', time: '2026-01-01T00:00:00.000Z', title: 'left out' }
  const cursor = writeCursor(last, 'time', ['time'])
  expect(readCursor(cursor, 'time', ['time'])).toEqual({ _id: 'a', time: last.time })
})

test.each([
  '',
  'x',
  'bnVsbA',
  Buffer.from('["time",{"$gt":""},"a"]').toString('base64url'),
  writeCursor({ _id: 'a' }, 'other', []),
])('a cursor that was not given out for this list is refused: %s', (cursor) => {
  expect(() => readCursor(cursor, 'time', ['time'])).toThrow(Problem)
})

test('limit has a default and bounds, and wrong parameters are named', () => {
  expect(readParams(request(''), {}).limit).toBe(50)
  expect(readParams(request('limit=7'), {}).limit).toBe(7)
  for (const [wrong, field] of [
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=ten', 'limit'],
    ['colour=red', 'colour'],
  ] as const) {
    expect(() => readParams(request(wrong), {})).toThrow(field)
  }
})
