import { beforeEach, expect, test } from 'vitest'
import { collections as storedCollections } from '#core/collections.ts'
import type { Collection } from '#domains/domain.ts'
import { asking, put, world } from '#test/reading.ts'
import domain, { READ } from './domain.ts'

const [bookings] = domain.collections as [Collection]

beforeEach(async () => {
  await world.store.prepare(storedCollections([domain]))
  const days = ['2100-01-01', '2100-01-02', '2100-01-03']
  const all = days.map((day, at) => ({ _id: `blue:${day}`, room: 'blue', day, by: at === 1 ? 'bob' : 'ada' }))
  await put(bookings, all)
})

const as = (id: string) =>
  asking([], { domains: [domain], callerOf: async () => ({ id, scopes: new Set([READ]) }) }).get

test('everybody with the role reads the bookings of a room', async () => {
  const days = { items: [{ by: 'ada' }, { by: 'bob' }, { by: 'ada' }] }
  expect(await as('eve')('/api/rooms/blue/bookings')).toMatchObject(days)
})

test("the caller's own bookings are those of nobody else, within the asked days", async () => {
  const [first, second, third] = [1, 2, 3].map((day) => ({ room: 'blue', day: `2100-01-0${day}` }))
  const mine = '/api/bookings/mine'
  expect(await as('ada')(mine)).toEqual({ items: [first, third], next: null })
  expect(await as('ada')(`${mine}?from=2100-01-02`)).toEqual({ items: [third], next: null })
  expect(await as('bob')(mine)).toEqual({ items: [second], next: null })
  expect(await as('eve')(mine)).toEqual({ items: [], next: null })
})
