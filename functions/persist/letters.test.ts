import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { collections, letters, receipts } from '#core/collections.ts'
import letterDomain from '#core/letters/domain.ts'
import { readReceipts } from '#core/receipts.ts'
import type { Store } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { AppendDomain, CommandType } from '#domains/domain.ts'
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
  world,
} from '#test/counting.ts'
import { quiet } from '#test/telemetry.ts'
import { trusting } from '#test/trust.ts'
import { type Persister, persister } from './persister.ts'
import { parkStream } from './stream.ts'

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
    counting,
    {
      id: 'bug',
      hash: 'hash of x 13',
      type: 'counting.add',
      stream,
      failure: { message: 'late' },
      delivery: count('bug', 'x', 13),
      verdict: 'trusted',
    },
    { store: world.store, clock, random: Math.random },
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
    commit: (writes) =>
      writes.some(({ collection }) => collection.name === 'heads') && ++commits > 1
        ? Promise.reject(new Error('killed'))
        : world.store.commit(writes),
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

test('given a letter of a stream that stands still, then what is the first of it is answered 422 again, what is behind it 204', async () => {
  const { persist } = await parked()
  expect((await persist(count('bug', 'x', 13))).status).toBe(422)
  expect((await persist(count('behind-0', 'x', 20))).status).toBe(204)
  expect(await headOf('x')).toMatchObject({ letters: 3 })
})

test('given another body under the id of a letter, then it is rejected however often it comes, and the letter stays first', async () => {
  const { persist } = await parked()
  for (let delivery = 0; delivery < 3; delivery++) expect((await persist(count('bug', 'x', 5))).status).toBe(204)
  expect((await persist(count('bug', 'y', 6))).status).toBe(204)
  expect(await headOf('x')).toMatchObject({ letters: 3 })
  expect(await counterOf('y')).toBeUndefined()
  const [of5, of6] = await readReceipts(world.store, counting, [
    { domain: 'counting', id: 'bug', hash: 'hash of x 5', time: 0 },
    { domain: 'counting', id: 'bug', hash: 'hash of y 6', time: 0 },
  ])
  expect([of5?.status, of6?.status]).toEqual(['rejected', 'rejected'])
  world.isBroken = false
  await persist(ask('r-1', 'redrive', { stream }))
  expect(await counterOf('x')).toBe(37)
})

test('given a type that is not known yet, then its stream waits until it is', async () => {
  const { persist } = start()
  const unknown = { type: 'counting.count-twice', bodyhash: 'twice' }
  expect((await persist(count('new', 'x', 2, unknown))).status).toBe(422)
  expect((await persist(count('behind', 'x', 3))).status).toBe(204)
  expect(await counterOf('x')).toBeUndefined()
  await persist(ask('r-1', 'redrive', { stream }))
  expect(await outcomeOf('r-1')).toMatchObject({ redriven: 0, failures: 1 })

  const known = { ...counting.commands, 'counting.count-twice': counting.commands['counting.count'] as CommandType }
  const upgraded = start({}, 'pod-2', { ...counting, commands: known })
  await upgraded.persist(ask('r-2', 'redrive', { stream }))
  expect(await outcomeOf('r-2')).toMatchObject({ redriven: 2, failures: 0 })
  expect((await eventsOf('x')).map(({ command }) => command)).toEqual(['new', 'behind'])
})

test('given what can not be read, in flight with what is behind it, then that does not pass it', async () => {
  const { persist } = start()
  const events = [count('before', 'x', 1), count('bad', 'x', 'many'), count('behind', 'x', 2), count('other', 'y', 3)]
  expect(await statuses(events.toReversed().map((event) => persist(event)))).toEqual([204, 204, 422, 204])
  expect(await counterOf('x')).toBe(1)
  expect(await counterOf('y')).toBe(3)
  expect(await kept()).toEqual(['bad', 'behind'])
})

test('given what can not be read and an outage, then 503 for it and for what is behind it, and nothing passes it', async () => {
  let isAway = true
  const { persist } = start({
    commit: (writes) => (isAway ? Promise.reject(new Unavailable('store', 'away')) : world.store.commit(writes)),
  })
  const [bad, behind] = [count('bad', 'x', 'many'), count('behind', 'x', 2)]
  expect(await statuses([persist(bad), persist(behind)])).toEqual([503, 503])
  isAway = false
  expect(await statuses([persist(behind), persist(bad)])).toEqual([204, 422])
  expect(await kept()).toEqual(['bad', 'behind'])
})

test('given a letter that can not be written, then the others of its batch are answered all the same', async () => {
  const { persist } = start({
    commit: (writes) =>
      writes.some(({ collection }) => collection.name === 'letters')
        ? Promise.reject(new Error('letters are full'))
        : world.store.commit(writes),
  })
  const events = [count('bad', 'x', 'many'), count('behind', 'x', 1), count('other', 'y', 1)]
  expect(await statuses(events.map((event) => persist(event)))).toEqual([500, 503, 204])
})

describe('past the horizon', () => {
  const DAY = 86_400_000
  const old = count('old', 'x', 5)

  test('given a command of 31 days ago, then it is kept as a letter, and its stream goes on', async () => {
    const { persist } = start()
    world.time += 31 * DAY
    for (const status of [422, 422]) expect((await persist(old)).status).toBe(status)
    expect(await counterOf('x')).toBeUndefined()
    expect((await persist(count('new', 'x', 1, { time: new Date(world.time).toISOString() }))).status).toBe(204)
    expect(await counterOf('x')).toBe(1)
  })

  test('given one that took effect and whose receipt has expired, then it does not take effect again', async () => {
    const { persist } = start()
    await persist(old)
    world.time += 31 * DAY
    expect((await persist(old)).status).toBe(204)
    await world.store.remove(receipts, ['old'])
    expect((await persist(old)).status).toBe(422)
    await persist(ask('r-1', 'redrive', { domain: 'counting' }))
    expect(await counterOf('x')).toBe(5)
  })

  test('given an operator who names it, then it is redriven, once', async () => {
    const { persist } = start()
    world.time += 31 * DAY
    await persist(old)
    await persist(ask('r-1', 'redrive', { id: 'old' }))
    expect(await outcomeOf('r-1')).toMatchObject({ redriven: 1, failures: 0 })
    await persist(ask('r-2', 'redrive', { id: 'old' }))
    expect(await counterOf('x')).toBe(5)
    expect(await kept()).toEqual([])
  })

  test('given a stream that stands still, then it is not redriven past what waits there', async () => {
    const { persist } = await parked()
    world.time += 31 * DAY
    await persist(old)
    await persist(ask('r-1', 'redrive', { id: 'old' }))
    expect(await outcomeOf('r-1')).toMatchObject({
      redriven: 0,
      failed: [{ id: 'old', error: expect.stringContaining('parked') }],
    })
    expect(await headOf('x')).toMatchObject({ isParked: true, letters: 3 })
  })
})

test('given a redrive that became a letter itself, then it is not done without its work', async () => {
  await parked()
  const broken = start({
    find: (collection, query) =>
      collection.name === 'letters' ? Promise.reject(new Error('a bug')) : world.store.find(collection, query),
  })
  const asked = ask('r-1', 'redrive', { stream })
  for (const status of [500, 500, 500, 422]) expect((await broken.persist(asked)).status).toBe(status)
  world.isBroken = false
  const { persist } = start()
  await persist(ask('r-2', 'redrive', { id: 'r-1' }))
  expect(await outcomeOf('r-2')).toMatchObject({
    redriven: 0,
    failed: [{ id: 'r-1', error: expect.stringContaining('send it again') }],
  })
  expect(await outcomeOf('r-1')).toBeUndefined()
  await persist(ask('r-3', 'redrive', { stream }))
  expect(await counterOf('x')).toBe(37)
})

test('given many letters that take longer than a delivery, then the next one goes on behind them, also behind failures', async () => {
  const { persist } = start()
  for (let at = 0; at < 45; at++) await persist(count(`bad-${at}`, `s${at}`, 'many'))
  const get: Store['get'] = async (collection, ids) => {
    if (collection.name === 'heads') world.time += 1000
    return await world.store.get(collection, ids)
  }
  const find: Store['find'] = async (collection, query) => {
    if (query.index === 'stream') world.time += 1000
    return await world.store.find(collection, query)
  }
  for (let at = 0; at < 9; at++) await persist(count(`bug-${at}`, `t${at}`, 13))
  for (let delivery = 0; delivery < 3; delivery++) {
    for (let at = 0; at < 9; at++) await persist(count(`bug-${at}`, `t${at}`, 13))
  }
  world.isBroken = false
  const slow = start({ get, find })
  const request = ask('r-1', 'redrive', { domain: 'counting' })
  const answers: number[] = []
  do answers.push((await slow.persist(request)).status)
  while (answers.at(-1) !== 204 && answers.length < 9)
  expect(answers.length).toBeGreaterThan(1)
  expect(answers.at(-1)).toBe(204)
  expect(await outcomeOf('r-1')).toMatchObject({ redriven: 9, failures: 45 })
})

describe('letters of an append domain', () => {
  const notes = { name: 'notes', indexes: {} }
  const noteDomain: AppendDomain = {
    kind: 'append',
    name: 'notes',
    topic: { name: 'notes', partitions: 1 },
    commands: { 'notes.add': { data: z.object({ text: z.string() }), stream: (_, id) => id, routes: [] } },
    documents: {
      collection: notes,
      document({ data }) {
        if (world.isBroken && String(data.text).startsWith('bug')) throw new Error('a bug')
        return data
      },
    },
    queries: [],
  }
  const note = (id: string, text: unknown, more = {}) =>
    count(id, 'none', 0, {
      type: 'notes.add',
      source: '/millrace/publish#notes',
      bodyhash: `h-${text}`,
      data: { text },
      ...more,
    })
  const startNotes = async (changes: Partial<Store> = {}) => {
    await world.store.prepare(collections([noteDomain]))
    return persister({
      ...quiet(),
      domains: [noteDomain, letterDomain],
      store: { ...world.store, ...changes },
      clock,
      random: Math.random,
      instance: 'pod-1',
      maxInFlight: 100,
      trust: trusting,
    })
  }
  const noted = async (id: string) => (await all(notes, id)).get(id)?.text
  const receiptOf = async (id: string, hash: string) =>
    (await readReceipts(world.store, noteDomain, [{ domain: 'notes', id, hash, time: 0 }]))[0]
  async function parkedNote(persist: Persister['persist'], id: string, text: string) {
    for (const status of [500, 500, 500, 422]) expect((await persist(note(id, text))).status).toBe(status)
  }

  test('a letter holds its id: another body is rejected, and the first is applied by its redrive', async () => {
    const { persist } = await startNotes()
    await parkedNote(persist, 'k', 'bug')
    expect((await persist(note('k', 'fine'))).status).toBe(204)
    expect((await persist(note('k', 'bug'))).status).toBe(422)
    world.isBroken = false
    await persist(ask('r-1', 'redrive', { id: 'k' }))
    expect(await noted('k')).toBe('bug')
    expect(await receiptOf('k', 'h-bug')).toEqual({ status: 'applied' })
    expect(await receiptOf('k', 'h-fine')).toMatchObject({ status: 'rejected' })
  })

  test('what was discarded does not take effect when it is delivered again, and is no letter again', async () => {
    const { persist } = await startNotes()
    await parkedNote(persist, 'k', 'bug')
    expect((await persist(note('bad', 42))).status).toBe(422)
    for (const id of ['k', 'bad']) await persist(ask(`d-${id}`, 'discard', { id, reason: 'never meant' }))
    world.isBroken = false
    expect((await persist(note('k', 'bug'))).status).toBe(204)
    expect((await persist(note('bad', 42))).status).toBe(204)
    expect(await noted('k')).toBeUndefined()
    expect((await all(letters, 'k', 'bad')).size).toBe(0)
    expect(await receiptOf('k', 'h-bug')).toMatchObject({ status: 'rejected' })
  })

  test.each(['discard', 'redrive'] as const)('a %s that comes between ends the letter alone', async (between) => {
    const { persist } = await startNotes()
    await parkedNote(persist, 'k', 'bug')
    world.isBroken = false
    let isFirst = true
    const slow = await startNotes({
      async commit(writes) {
        if (isFirst && writes.some(({ collection, remove }) => collection.name === 'letters' && remove?.length)) {
          isFirst = false
          await persist(ask('between', between, between === 'discard' ? { id: 'k', reason: 'no' } : { id: 'k' }))
        }
        await world.store.commit(writes)
      },
    })
    const other =
      between === 'discard' ? ask('r-1', 'redrive', { id: 'k' }) : ask('d-1', 'discard', { id: 'k', reason: 'no' })
    expect((await slow.persist(other)).status).toBe(204)
    expect(isFirst).toBe(false)
    if (between === 'discard') {
      expect(await outcomeOf('between')).toMatchObject({ discarded: 1 })
      expect(await noted('k')).toBeUndefined()
      expect(await receiptOf('k', 'h-bug')).toMatchObject({ status: 'rejected' })
    } else {
      expect(await outcomeOf('d-1')).toMatchObject({ discarded: 0 })
      expect(await noted('k')).toBe('bug')
      expect(await receiptOf('k', 'h-bug')).toEqual({ status: 'applied' })
    }
  })
})

test('given a redrive that is a letter itself, then it does not run when it is delivered again, nor after its discard', async () => {
  const { persist } = start()
  const bug = count('bug', 'x', 13)
  for (const status of [500, 500, 500, 422]) expect((await persist(bug)).status).toBe(status)
  world.isBroken = false
  const redrive = ask('r-1', 'redrive', { id: 'bug' })
  const { id, type, bodyhash: hash } = redrive
  const at = '2026-01-02T00:00:01.000Z'
  const error = 'no attempt came back: the process did not survive it'
  await world.store.insert(letters, [{ _id: id, command: id, type, hash: String(hash), at, domain: 'letters', error }])
  expect((await persist(redrive)).status).toBe(422)
  expect((await persist(ask('d-1', 'discard', { id, reason: 'send it again' }))).status).toBe(204)
  expect((await persist(redrive)).status).toBe(204)
  expect(await kept()).toEqual(['bug'])
  expect((await persist(ask('r-2', 'redrive', { id: 'bug' }))).status).toBe(204)
  expect(await kept()).toEqual([])
})

test('given a copy of what was discarded, read or not, then it stays discarded', async () => {
  const { persist } = start()
  const copy = { knativeerrordest: 'http://persist/' }
  const foreign = count('foreign', 'x', 1, { type: 'who.knows', source: '/elsewhere' })
  for (const event of [foreign, count('bad', 'z', 'many')]) {
    expect((await persist(event)).status).toBe(422)
    await persist(ask(`d-${event.id}`, 'discard', { id: event.id, reason: 'never meant' }))
    expect((await persist({ ...event, ...copy })).status).toBe(204)
  }
  expect(await kept()).toEqual([])
  expect(await headOf('z')).toMatchObject({ isParked: false })
})
