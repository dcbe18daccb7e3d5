import { expect, test } from 'vitest'
import { BoundedMap } from './bounded-map.ts'

const keysIn = (map: BoundedMap<number>, keys: string) => [...keys].filter((key) => map.get(key) !== undefined).join('')

test('a full map removes the entry that was set first', () => {
  const map = new BoundedMap<number>(3)
  for (const key of 'abcd') map.set(key, 0)
  expect(keysIn(map, 'abcd')).toBe('bcd')
})

test('an entry that is set again becomes the newest and removes no other', () => {
  const map = new BoundedMap<number>(3)
  for (const key of 'abca') map.set(key, 0)
  expect(keysIn(map, 'abc')).toBe('abc')
  map.set('d', 0)
  expect(keysIn(map, 'abcd')).toBe('acd')
})

test('reading an entry does not make it newer', () => {
  const map = new BoundedMap<number>(2)
  for (const key of 'ab') map.set(key, 0)
  map.get('a')
  map.set('c', 0)
  expect(keysIn(map, 'abc')).toBe('bc')
})

test('an entry expires at its time, and without one never', () => {
  const map = new BoundedMap<number>(3)
  map.set('a', 1, 100)
  map.set('b', 2)
  expect([map.get('a', 99), map.get('a', 100), map.get('a', 99)]).toEqual([1, undefined, undefined])
  expect(map.get('b', Number.MAX_SAFE_INTEGER)).toBe(2)
})

test('an entry is deleted only while it has the given value', () => {
  const map = new BoundedMap<number>(3)
  map.set('a', 1)
  map.set('a', 2)
  map.delete('a', 1)
  expect(map.get('a')).toBe(2)
  map.delete('a', 2)
  expect(map.get('a')).toBeUndefined()
})
