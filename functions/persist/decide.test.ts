import { expect, test } from 'vitest'
import { heads, letters, receipts } from '#core/collections.ts'
import { Conflict } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import { all, count, counterOf, counting, eventsOf, headOf, start, statuses, totalOf, world } from '#test/counting.ts'

test('given commands of one stream in flight together, then they are folded in order and committed once', async () => {
  let commits = 0
  const { persist } = start({
    commit(writes) {
      commits++
      return world.store.commit(writes)
    },
  })
  const given = ['a', 'b', 'c'].map((id, index) => count(id, 'x', index + 1))
  expect(await statuses(given.toReversed().map((event) => persist(event)))).toEqual([204, 204, 204])
  expect(commits).toBe(1)
  expect(await counterOf('x')).toBe(6)
  expect((await eventsOf('x')).map(({ number, command }) => [number, command])).toEqual([
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ])
  expect(await headOf('x')).toMatchObject({ version: 3, isParked: false })
  expect(await totalOf()).toBe(6)
})

test('given a command that is delivered again, alone or beside itself, then it takes effect once', async () => {
  const { persist } = start()
  const event = count('a', 'x', 5)
  expect(await statuses([persist(event), persist(event), persist(event)])).toEqual([204, 204, 204])
  expect((await persist(event)).status).toBe(204)
  expect(await counterOf('x')).toBe(5)
  expect(await eventsOf('x')).toHaveLength(1)
})

test('given a rule that says no, then the rejection is recorded, and nothing else changes', async () => {
  const { persist } = start()
  await persist(count('a', 'x', 99))
  expect((await persist(count('b', 'x', 2))).status).toBe(204)
  expect((await all(receipts, 'b')).get('b')).toMatchObject({
    status: 'rejected',
    reason: expect.stringContaining('hundred'),
  })
  expect(await counterOf('x')).toBe(99)
  await persist(count('c', 'x', -50))
  expect((await persist(count('b', 'x', 2))).status).toBe(204)
  expect(await counterOf('x')).toBe(49)
})

test('given an id that was used for another body, then that body is rejected and the first is untouched', async () => {
  const { persist } = start()
  await persist(count('a', 'x', 1))
  expect((await persist(count('a', 'x', 2))).status).toBe(204)
  expect(await counterOf('x')).toBe(1)
  expect((await all(receipts, 'a')).get('a')).toMatchObject({ status: 'applied' })
  expect((await all(receipts, 'a.hash of x 2')).get('a.hash of x 2')).toMatchObject({ status: 'rejected' })
})

test('given two bodies with one id of different streams in flight, then the earlier one is applied', async () => {
  const { persist } = start()
  const later = count('a', 'x', 1, { knativekafkapartition: '0', time: '2026-01-01T00:00:00.001Z' })
  const earlier = count('a', 'y', 2, { knativekafkapartition: '1' })
  expect(await statuses([persist(later), persist(earlier)])).toEqual([204, 204])
  expect([await counterOf('x'), await counterOf('y')]).toEqual([undefined, 2])
  expect((await all(receipts, 'a.hash of x 1')).get('a.hash of x 1')).toMatchObject({
    status: 'rejected',
    reusedKey: true,
  })
})

test('given a later body whose id an earlier one of another stream has that fails, then the later one waits for it', async () => {
  const { persist } = start()
  const both = () => [
    persist(count('a', 'x', 1, { knativekafkapartition: '1', time: '2026-01-01T00:00:00.001Z' })),
    persist(count('a', 'y', 13, { knativekafkapartition: '0' })),
  ]
  for (const expected of [
    [503, 500],
    [503, 500],
    [503, 500],
    [204, 422],
  ]) {
    expect(await statuses(both())).toEqual(expected)
  }
  expect(await counterOf('x')).toBeUndefined()
})

test('given an expected version, then the command is rejected as stale unless the stream is there', async () => {
  const { persist } = start()
  await persist(count('a', 'x', 1, { expectedversion: '0' }))
  await persist(count('b', 'x', 1, { expectedversion: '0' }))
  await persist(count('c', 'x', 1, { expectedversion: '1' }))
  expect((await all(receipts, 'b')).get('b')).toMatchObject({ status: 'rejected', isStale: true })
  expect(await counterOf('x')).toBe(2)
})

test('given a bug, then it is retried three times and parked; what is behind it waits in order, other streams go on', async () => {
  const { persist } = start()
  const [bug, behind, other] = [count('bug', 'x', 13), count('behind', 'x', 1), count('other', 'y', 1)]
  expect(await statuses([persist(bug), persist(behind), persist(other)])).toEqual([500, 503, 204])
  for (const status of [500, 500, 422]) expect((await persist(bug)).status).toBe(status)
  expect((await persist(behind)).status).toBe(204)
  expect((await persist(count('later', 'x', 2))).status).toBe(204)
  expect((await persist(behind)).status).toBe(204)
  expect(await counterOf('x')).toBeUndefined()
  expect(await headOf('x')).toMatchObject({ isParked: true, letters: 3 })
  const kept = await world.store.find(letters, { index: 'stream', where: { key: 'counting:counter/x' }, limit: 10 })
  expect(kept.map(({ _id, number }) => [_id, number])).toEqual([
    ['bug', 1],
    ['behind', 2],
    ['later', 3],
  ])
  expect(await counterOf('y')).toBe(1)
})

test('given what fails its schema, then its stream is parked, since what follows may depend on it', async () => {
  const { persist } = start()
  expect((await persist(count('bad', 'x', 'many'))).status).toBe(422)
  expect((await persist(count('bad', 'x', 'many'))).status).toBe(422)
  expect((await persist(count('good', 'x', 1))).status).toBe(204)
  expect(await counterOf('x')).toBeUndefined()
  expect(await headOf('x')).toMatchObject({ isParked: true, letters: 2 })
})

test('given several processes on the same streams, zombies included, then each command takes effect once and none is lost', async () => {
  const others = ['pod-1', 'pod-2', 'pod-3'].map((instance) =>
    start(
      {
        // Reads take a turn of the event loop, so that the processes meet between reading and committing.
        async get(collection, ids) {
          const found = await world.store.get(collection, ids)
          await new Promise((resolve) => setImmediate(resolve))
          return found
        },
      },
      instance,
    ),
  )
  const commands = Array.from({ length: 60 }, (_, index) => count(`c${index}`, `x${index % 3}`, 1))
  let open = others.flatMap((process) => commands.map((event) => ({ process, event })))
  for (let round = 0; open.length > 0 && round < 50; round++) {
    const answers = await statuses(open.map(({ process, event }) => process.persist(event)))
    expect(answers.every((status) => status === 204 || status === 503)).toBe(true)
    open = open.filter((_, index) => answers[index] !== 204)
  }
  expect(open).toEqual([])
  for (const counter of ['x0', 'x1', 'x2']) {
    expect(await counterOf(counter)).toBe(20)
    expect((await eventsOf(counter)).map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
  }
  expect(await totalOf()).toBe(60)
})

test('given conflicts that never end, then 503 soon, not counted, and the command is applied once they do', async () => {
  let commits = 0
  const { persist } = start({
    commit: (writes) => (++commits <= 78 ? Promise.reject(new Conflict('always later')) : world.store.commit(writes)),
  })
  const began = world.time
  for (let delivery = 0; delivery < 6; delivery++) expect((await persist(count('a', 'x', 1))).status).toBe(503)
  expect(world.time - began).toBeLessThan(6 * 11_000)
  expect((await persist(count('a', 'x', 1))).status).toBe(204)
  expect(await eventsOf('x')).toHaveLength(1)
})

test('given a hot stream, then only its own commands meet conflicts to the end', async () => {
  const isHot = (key: string) => key === 'counting:counter/hot'
  const { persist } = start({
    commit: (writes) =>
      writes.some(({ swap = [] }) => swap.some(({ _id }) => isHot(_id)))
        ? Promise.reject(new Conflict('always later'))
        : world.store.commit(writes),
  })
  const events = [count('a', 'hot', 1), count('b', 'x', 1), count('c', 'hot', 1), count('d', 'y', 1)]
  expect(await statuses(events.map((event) => persist(event)))).toEqual([503, 204, 503, 204])
})

test('given a crash before, then copies of one command in a batch are one try, and it is applied', async () => {
  await start().persist(count('before', 'x', 1))
  const { persist } = start()
  const event = count('a', 'x', 1)
  expect(await statuses(Array.from({ length: 7 }, () => persist(event)))).toEqual(Array(7).fill(204))
  expect(await counterOf('x')).toBe(2)
  expect(await headOf('x')).toMatchObject({ isParked: false })
})

test('given a project that changes a collection that there is not, then that is a bug and nothing is written', async () => {
  const lost = { ...counting, touches: () => [{ collection: 'countres', ids: ['x'] }] }
  const { persist } = start({}, 'pod-1', lost)
  expect((await persist(count('a', 'x', 1))).status).toBe(500)
})

test('given an outage at the commit, then nothing counts as an attempt, and it is applied once the store is back', async () => {
  let isAway = true
  const { persist } = start({
    commit: (writes) => (isAway ? Promise.reject(new Unavailable('store', 'away')) : world.store.commit(writes)),
  })
  const event = count('a', 'x', 1)
  for (let delivery = 0; delivery < 6; delivery++) expect((await persist(event)).status).toBe(503)
  isAway = false
  expect((await persist(event)).status).toBe(204)
  expect(await counterOf('x')).toBe(1)
})

test('given a commit whose answer was lost, then the repeat finds it done', async () => {
  let commits = 0
  const { persist } = start({
    async commit(writes) {
      await world.store.commit(writes)
      if (++commits === 1) throw new Unavailable('store', 'the answer was lost')
    },
  })
  expect((await persist(count('a', 'x', 1))).status).toBe(204)
  expect(commits).toBe(1)
  expect(await eventsOf('x')).toHaveLength(1)
  expect((await persist(count('b', 'x', 2))).status).toBe(204)
  expect(await totalOf()).toBe(3)
})

test('given a rule that reads or writes what its touches do not name, then that is a bug and nothing is written', async () => {
  const nosy = { ...counting, touches: () => [] }
  const { persist } = start({}, 'pod-1', nosy)
  expect((await persist(count('a', 'x', 1))).status).toBe(500)
  expect(await eventsOf('x')).toEqual([])
})

test('given a rule that changes a document in place, then that is a bug and nothing of it is written', async () => {
  const { persist } = start({}, 'pod-1', {
    ...counting,
    decide(command, documents) {
      const counter = documents.get('counters', String(command.data.counter))
      if (counter) counter.count = 1000
      return counting.decide(command, documents)
    },
  })
  expect((await persist(count('a', 'x', 1))).status).toBe(204)
  expect((await persist(count('b', 'x', 1))).status).toBe(500)
  expect(await counterOf('x')).toBe(1)
})

test.each([
  ['is named after its command', 'a', false],
  ['has another name', 'x', true],
])('given a stream that %s, then its documents are read beside or after its head', async (_, counter, isAfter) => {
  let isHeadRead = false
  const after = new Map<string, boolean>()
  const { persist } = start({
    async get(collection, ids) {
      after.set(collection.name, isHeadRead)
      const found = await world.store.get(collection, ids)
      isHeadRead ||= collection === heads
      return found
    },
  })
  expect((await persist(count('a', counter, 1))).status).toBe(204)
  expect([after.get('counters'), after.get('receipts'), after.get('letters')]).toEqual([isAfter, isAfter, isAfter])
})

test('given a stream that another instance begins meanwhile, then what was read beside its head does not count', async () => {
  const other = start({}, 'pod-2')
  let reads = 0
  const { persist } = start({
    async get(collection, ids) {
      if (collection === heads && ++reads === 1) await other.persist(count('first', 'a', -60))
      return await world.store.get(collection, ids)
    },
  })
  expect((await persist(count('a', 'a', 101))).status).toBe(204)
  expect((await all(receipts, 'a')).get('a')).toMatchObject({ status: 'applied' })
  expect(await counterOf('a')).toBe(41)
})
