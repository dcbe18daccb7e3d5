import { describe, expect, test } from 'vitest'
import { Conflict, type Store } from '#adapters/store/store.ts'
import { Unavailable } from '#adapters/unavailable.ts'
import {
  all,
  ask,
  clock,
  count,
  counterOf,
  counting,
  eventsOf,
  headOf,
  kept,
  outcomeOf,
  start,
  statuses,
  totalOf,
  world,
} from '#test/counting.ts'
import { letters, receipts } from '../collections.ts'
import type { Persister } from './persister.ts'
import { parkStream } from './stream.ts'

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

describe('letters', () => {
  const stream = 'counter/x'
  /** A counter that stands still at 1 behind a bug, with two commands behind it. */
  async function parked(): Promise<Persister> {
    const made = start()
    await made.persist(count('first', 'x', 1))
    const bug = count('bug', 'x', 13)
    for (const status of [500, 500, 500, 422]) expect((await made.persist(bug)).status).toBe(status)
    for (const [index, by] of [20, 3].entries()) {
      expect((await made.persist(count(`behind-${index}`, 'x', by))).status).toBe(204)
    }
    return made
  }

  test('given a bug that is mended, then a redrive applies the stream in order and sets it going again', async () => {
    const { persist } = await parked()
    world.isBroken = false
    expect((await persist(ask('r-1', 'redrive', { stream }))).status).toBe(204)
    expect(await outcomeOf('r-1')).toMatchObject({ redriven: 3, failures: 0 })
    expect((await eventsOf('x')).map(({ command }) => command)).toEqual(['first', 'bug', 'behind-0', 'behind-1'])
    expect(await headOf('x')).toMatchObject({ isParked: false, version: 4 })
    expect(await kept()).toEqual([])
    expect((await persist(count('after', 'x', 1))).status).toBe(204)
    expect(await counterOf('x')).toBe(38)
  })

  test('given a bug that is still there, then the first failure stops it, and nothing behind it runs', async () => {
    const { persist } = await parked()
    expect((await persist(ask('r-1', 'redrive', { error: 'luck' }))).status).toBe(204)
    expect(await outcomeOf('r-1')).toMatchObject({ redriven: 0, failed: [{ id: 'bug', error: 'bad luck' }] })
    expect(await kept()).toEqual(['bug', 'behind-0', 'behind-1'])
    expect(await counterOf('x')).toBe(1)
  })

  test('given a discard, then its receipt says rejected, and a redrive goes on behind it', async () => {
    const { persist } = await parked()
    expect((await persist(ask('d-1', 'discard', { id: 'bug', reason: 'never meant' }))).status).toBe(204)
    expect((await all(receipts, 'bug')).get('bug')).toMatchObject({
      status: 'rejected',
      reason: 'discarded: never meant',
    })
    expect(await headOf('x')).toMatchObject({ isParked: true })
    await persist(ask('r-1', 'redrive', { id: 'behind-0' }))
    expect(await counterOf('x')).toBe(24)
    expect(await headOf('x')).toMatchObject({ isParked: false })
    expect((await persist(count('bug', 'x', 13))).status).toBe(204)
    expect(await counterOf('x')).toBe(24)
  })

  test('given a command that was redriven or discarded, then its copy from the error topic does not park the stream again', async () => {
    const { persist } = await parked()
    await persist(ask('d-1', 'discard', { id: 'behind-0', reason: 'never meant' }))
    world.isBroken = false
    await persist(ask('r-1', 'redrive', { stream }))
    await parkStream(
      world.store,
      counting,
      { id: 'bug', hash: 'hash of x 13', stream, reason: 'late', event: count('bug', 'x', 13) },
      clock,
    )
    expect(await headOf('x')).toMatchObject({ isParked: false })
    expect((await persist(ask('d-2', 'discard', { id: 'bug', reason: 'too late' }))).status).toBe(204)
    expect((await all(receipts, 'bug')).get('bug')).toMatchObject({ status: 'applied' })
  })

  test('given a crash in the middle of a redrive, then the next delivery goes on where it was', async () => {
    await parked()
    world.isBroken = false
    let commits = 0
    const crashing = start({
      commit: (writes) => (++commits > 1 ? Promise.reject(new Error('killed')) : world.store.commit(writes)),
    })
    const request = ask('r-1', 'redrive', { stream })
    await crashing.persist(request)
    expect(await counterOf('x')).toBe(14)
    expect((await start().persist({ ...request })).status).toBe(204)
    expect((await start().persist(ask('r-2', 'redrive', { stream }))).status).toBe(204)
    expect(await counterOf('x')).toBe(37)
    expect(await eventsOf('x')).toHaveLength(4)
  })

  test('given two operators and traffic at once, then each command takes effect once, in order, and the stream goes on', async () => {
    await parked()
    world.isBroken = false
    const slow: Partial<Store> = {
      async get(collection, ids) {
        const found = await world.store.get(collection, ids)
        await new Promise((resolve) => setImmediate(resolve))
        return found
      },
    }
    const [one, two, traffic] = [start(slow), start(slow), start(slow)]
    const more = Array.from({ length: 10 }, (_, index) => count(`more-${index}`, 'x', 1))
    await Promise.all([
      one.persist(ask('r-1', 'redrive', { stream })),
      two.persist(ask('r-2', 'redrive', { stream })),
      ...more.map((event) => traffic.persist(event)),
    ])
    await one.persist(ask('r-3', 'redrive', { stream }))
    expect(await headOf('x')).toMatchObject({ isParked: false })
    expect(await kept()).toEqual([])
    const order = (await eventsOf('x')).map(({ command }) => command)
    expect(order).toEqual(['first', 'bug', 'behind-0', 'behind-1', ...more.map(({ id }) => id)])
    expect(await counterOf('x')).toBe(47)
  })
})
