import { expect, test } from 'vitest'
import { differenceIn, extraIn } from './difference.ts'

test.each([
  ['a number as a bigint', 1, 1n],
  ['a large bigint', 2n ** 60n, 2n ** 60n],
  ['some members', { a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ c: 2 }] }],
  ['no member', { a: 1 }, { a: 1, b: undefined }],
  ['null', { a: null }, { a: null }],
  ['an empty list', [], []],
])('a value has what is expected of it: %s', (_, actual, expected) => {
  expect(differenceIn('it', actual, expected)).toBeUndefined()
})

test.each([
  ['expected it to be 2, but it is 1', 1, 2],
  ['expected it to be "1", but it is 1', 1, '1'],
  ['expected it to be 1152921504606846977, but it is 1152921504606846976', 2n ** 60n, 2n ** 60n + 1n],
  ['expected b.1.c of it to be 3, but it is 2', { a: 1, b: [{ c: 1 }, { c: 2 }] }, { b: [{ c: 1 }, { c: 3 }] }],
  ['expected a of it to be 1, but there is none', {}, { a: 1 }],
  ['expected a of it to be undefined, but it is 1', { a: 1 }, { a: undefined }],
  ['expected a of it to be null, but there is none', {}, { a: null }],
  ['expected it to have 2 items, but it has 1 item', [1], [1, 2]],
  ['expected a of it to be {}, but it is []', { a: [] }, { a: {} }],
  [`expected it to be "b", but it is "${'a'.repeat(79)}...`, 'a'.repeat(100), 'b'],
])('%s', (text, actual, expected) => {
  expect(differenceIn('it', actual, expected)?.text).toBe(text)
})

test('members that are not expected are found at any depth', () => {
  expect(extraIn({ a: { b: [{ c: 1, d: 2 }] } }, { a: { b: [{ c: 1 }] } })).toBe('a.b.0.d')
  expect(extraIn({ a: 1 }, { a: 1, b: undefined })).toBeUndefined()
})
