import { expect, test } from 'vitest'
import { bodyHash, derivedId, newId } from './ids.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-([78])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('new ids are UUIDv7, differ, and sort by time', () => {
  const ids = [1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000].map(newId)
  for (const id of ids) expect(UUID.exec(id)?.[1]).toBe('7')
  expect([...ids].sort()).toEqual(ids)
  expect(newId(1)).not.toBe(newId(1))
})

test('derived ids are UUIDv8, the same for the same parts, and different for parts that only join to the same text', () => {
  expect(UUID.exec(derivedId('tutorials', 'anonymous', 'key', 0))?.[1]).toBe('8')
  expect(derivedId('a', 'b', 1)).toBe(derivedId('a', 'b', 1))
  expect(derivedId('ab', 'c')).not.toBe(derivedId('a', 'bc'))
  expect(derivedId('a', '1')).not.toBe(derivedId('a', 1))
})

test('a body hash tells types and values apart', () => {
  expect(bodyHash('a', 'x')).toMatch(/^[\w-]{22}$/)
  expect(bodyHash('a', 'x')).toBe(bodyHash('a', 'x'))
  expect(bodyHash('a', 'x')).not.toBe(bodyHash('b', 'x'))
  expect(bodyHash('a', 'x')).not.toBe(bodyHash('a', 'y'))
})
