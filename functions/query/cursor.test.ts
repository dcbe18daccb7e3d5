import { expect, test } from 'vitest'
import { Problem } from '#core/problem.ts'
import { readCursor, writeCursor } from './cursor.ts'
import type { IndexScan } from './index-scan.ts'

const list = (changes: Partial<IndexScan> = {}): IndexScan => ({
  collection: { name: 'notes', indexes: {} },
  index: 'time',
  filters: [{}],
  range: undefined,
  newestFirst: false,
  sortFields: ['time'],
  ...changes,
})
const last = { _id: 'a', time: '2026-01-01T00:00:00.000Z', title: 'left out' }

test('reading a cursor gives the position that it was written for', () => {
  expect(readCursor(list(), writeCursor(list(), last))).toEqual({ _id: 'a', time: last.time })
})

test.each([
  ['nothing', ''],
  ['no JSON', 'x'],
  ['no list', 'bnVsbA'],
  ['an operator', Buffer.from('["time",{"$gt":""},"a"]').toString('base64url')],
  ['that of another index', writeCursor(list({ index: 'other' }), last)],
  ['that of the other direction', writeCursor(list({ newestFirst: true }), last)],
  ['that of more fields', writeCursor(list({ sortFields: ['author', 'time'] }), last)],
])('refuses a cursor of another list: %s', (_, cursor) => {
  expect(() => readCursor(list(), cursor)).toThrow(Problem)
})
