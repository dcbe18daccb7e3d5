import { beforeEach, expect, test, vi } from 'vitest'
import { letters } from '#core/collections.ts'
import { Conflict, type Store, type Write } from '#core/store.ts'
import { all, ask, count, kept, start, statuses, totalOf, world } from '#test/counting.ts'
import { compete, ofTeams, teams, withTeams } from '#test/teams.ts'

const team = async (id: string) => (await all(teams, id)).get(id)

beforeEach(() => world.store.prepare([teams]))

/** Its calls take 1 to 4 ms, as those of a store over a network. */
const slow: Partial<Store> = {
  async get(collection, ids) {
    const found = await world.store.get(collection, ids)
    await pause()
    return found
  },
  async commit(writes) {
    await pause()
    await world.store.commit(writes)
  },
}
const pause = () => new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 3))

test('given events of several streams, then a view has one document for each key', async () => {
  const { persist } = start({}, 'pod-1', withTeams)
  const given = [count('1', 'ada', 5), count('2', 'alan', 2), count('3', 'bob', 1), count('4', 'ada-bob', 10)]
  expect(await statuses(given.map((event) => persist(event)))).toEqual([204, 204, 204, 204])
  expect(await team('a')).toEqual({ _id: 'a', counts: 3, sum: 17, generation: 1 })
  expect(await team('b')).toMatchObject({ counts: 2, sum: 11 })
  expect(await totalOf()).toBe(18)
})

test('given a field that the stored document does not have, then it begins as in zero', async () => {
  await world.store.commit([{ collection: teams, swap: [{ _id: 'a', counts: 2, generation: 1 }] }])
  const { persist } = start({}, 'pod-1', withTeams)
  await persist(count('1', 'ada', 5))
  expect(await team('a')).toEqual({ _id: 'a', counts: 3, sum: 5, generation: 2 })
})

test('given a command that is repeated or rejected, then it feeds no view', async () => {
  const { persist } = start({}, 'pod-1', withTeams)
  const event = count('1', 'ada', 90)
  await persist(event)
  await persist(event)
  await persist(count('2', 'ada', 90))
  expect(await team('a')).toMatchObject({ counts: 1, sum: 90 })
})

test('given two instances on a slow store, then a document that every stream changes is exact', async () => {
  let conflicts = 0
  const commit: Store['commit'] = (writes) =>
    (slow.commit as Store['commit'])(writes).catch((error) => {
      if (error instanceof Conflict) conflicts++
      throw error
    })
  await compete({ ...slow, commit })
  expect(await team('a')).toMatchObject({ counts: 100, sum: 100 })
  expect(await totalOf()).toBe(100)
  expect(conflicts).toBeGreaterThan(0)
})

test('the test above finds a view that is written without a comparison', async () => {
  const put = ({ swap = [], ...write }: Write): Write =>
    write.collection.name === teams.name ? { ...write, put: swap } : { ...write, swap }
  await compete({ ...slow, commit: (writes) => (slow.commit as Store['commit'])(writes.map(put)) })
  expect((await team('a'))?.sum).toBeLessThan(100)
})

test('given a view that throws, then its command alone becomes a letter, and a redrive feeds the view', async () => {
  const { persist } = start({}, 'pod-1', withTeams)
  const [bug, other] = [count('bug', 'ada', 7), count('other', 'alan', 1)]
  expect(await statuses([persist(bug), persist(other)])).toEqual([500, 204])
  for (const status of [500, 500, 422]) expect((await persist(bug)).status).toBe(status)
  expect((await all(letters, 'bug')).get('bug')).toMatchObject({ error: 'bad luck in a view' })
  expect(await team('a')).toMatchObject({ counts: 1, sum: 1 })
  world.isBroken = false
  expect((await persist(ask('r1', 'redrive', { id: 'bug' }))).status).toBe(204)
  expect(await kept()).toEqual([])
  expect(await team('a')).toMatchObject({ counts: 2, sum: 8 })
  expect(await totalOf()).toBe(8)
})

test.each([[''], [undefined]])('given the key %j, then the command is at fault', async (key) => {
  const domain = { ...withTeams, views: [{ ...ofTeams, keys: () => [key as string] }] }
  const { persist } = start({}, 'pod-1', domain)
  for (const status of [500, 500, 500, 422]) expect((await persist(count('a', 'ada', 1))).status).toBe(status)
  expect((await all(letters, 'a')).get('a')?.error).toBe(
    `the view teams has the key ${JSON.stringify(key)} for an event counted: it must be a text that is not empty`,
  )
})

test('given one instance, then a slot is read once; given another one on the same slot, then it is read again', async () => {
  const random = vi.spyOn(Math, 'random').mockReturnValue(0)
  let reads = 0
  const get: Store['get'] = (collection, ids) => {
    if (collection.name === 'totals') reads++
    return world.store.get(collection, ids)
  }
  const [one, two] = [start({ get }, 'pod-1'), start({}, 'pod-2')]
  for (const id of ['1', '2', '3']) expect((await one.persist(count(id, id, 1))).status).toBe(204)
  expect(reads).toBe(1)
  expect((await two.persist(count('4', '4', 10))).status).toBe(204)
  expect((await one.persist(count('5', '5', 100))).status).toBe(204)
  random.mockRestore()
  expect(reads).toBe(2)
  expect(await totalOf()).toBe(113)
})
