import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import type { Clock } from '#core/clock.ts'
import { attempts, collections, letters, receipts } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import letterDomain from '#core/letters/domain.ts'
import { readReceipts } from '#core/receipts.ts'
import type { Store } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { AppendDomain, CommandType, Document } from '#domains/domain.ts'
import { quiet } from '#test/telemetry.ts'
import { trusting } from '#test/trust.ts'
import { type Persister, persister } from './persister.ts'

const notes = {
  name: 'notes',
  indexes: { time: { fields: ['time'] } },
}

let isBroken = true

/** A domain with a bug that is mended when `isBroken` is false. */
const domain: AppendDomain = {
  kind: 'append',
  name: 'notes',
  topic: { name: 'notes', partitions: 1 },
  commands: { 'notes.add': { data: z.object({ text: z.string() }), stream: (_, id) => `note/${id}`, routes: [] } },
  documents: {
    collection: notes,
    document({ data, time }) {
      if (data.text === 'bug' && isBroken) throw new Error('division by zero')
      return { text: data.text ?? '', time }
    },
  },
  queries: [],
}

let dir: string
let file: ReturnType<typeof openFile>
let store: Store
let time: number

/** Sleeping takes no time but passes it. */
const clock: Clock = {
  now: () => time,
  async sleep(ms) {
    time += ms
  },
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'persist-'))
  file = openFile(dir)
  store = embeddedStore(file)
  await store.prepare(collections([domain]))
  time = Date.parse('2026-01-01T00:00:00Z')
  isBroken = true
})

afterEach(async () => {
  await store.close()
  file.close()
  rmSync(dir, { recursive: true })
})

const start = (changes: Partial<Store> = {}): Persister =>
  persister({
    ...quiet(),
    domains: [domain],
    store: { ...store, ...changes },
    clock,
    random: Math.random,
    instance: 'pod-1',
    maxInFlight: 10,
    trust: trusting,
  })

let offset = 0
const event = (id: string, text: unknown, changes: Partial<Delivery> = {}): Delivery => ({
  specversion: '1.0',
  id,
  source: '/test',
  type: 'notes.add',
  time: '2026-01-01T00:00:00.000Z',
  knativekafkapartition: '0',
  knativekafkaoffset: String(offset++),
  data: { text },
  ...changes,
})

const stored = async (...ids: string[]) => [...(await store.get(notes, ids)).keys()].sort()
const letterOf = async (id: string) => (await store.get(letters, [id])).get(id)
const never = () => new Promise<never>(() => {})

test('given commands in flight together, then they are one insert, and each is done', async () => {
  const inserts: number[] = []
  const { persist } = start({
    insert(collection, documents) {
      if (collection.name === 'notes') inserts.push(documents.length)
      return store.insert(collection, documents)
    },
  })
  const answers = await Promise.all(['a', 'b', 'c'].map((id) => persist(event(id, id))))
  expect(answers.map(({ status }) => status)).toEqual([204, 204, 204])
  expect(inserts).toEqual([3])
  expect(await stored('a', 'b', 'c')).toEqual(['a', 'b', 'c'])
})

test('given a command that was done before, then it is done, and nothing changes', async () => {
  const { persist } = start()
  await persist(event('a', 'first'))
  const before = await store.get(notes, ['a'])
  expect((await persist(event('a', 'first', { time: '2026-02-01T00:00:00.000Z' }))).status).toBe(204)
  expect(await store.get(notes, ['a'])).toEqual(before)
})

test.each(['later', 'in the same batch'])(
  'given an id with another body %s, then that body is rejected',
  async (when) => {
    const { persist } = start()
    const first = event('a', 'first', { bodyhash: 'one' })
    const second = event('a', 'second', { bodyhash: 'two' })
    if (when === 'later') {
      await persist(first)
      expect((await persist(second)).status).toBe(204)
    } else {
      const answers = await Promise.all([persist(first), persist(second)])
      expect(answers.map(({ status }) => status)).toEqual([204, 204])
    }
    expect((await store.get(notes, ['a'])).get('a')).toMatchObject({ text: 'first' })
    const of = (hash: string) => ({ domain: 'notes', id: 'a', hash, time })
    const outcomes = await readReceipts(store, domain, [of('one'), of('two'), of('three')])
    expect(outcomes.map(({ status }) => status)).toEqual(['applied', 'rejected', 'pending'])
    expect((await store.get(receipts, ['a.two'])).size).toBe(1)
  },
)

const outcomesOf = async (id: string, ...hashes: string[]) =>
  (
    await readReceipts(
      store,
      domain,
      hashes.map((hash) => ({ domain: 'notes', id, hash, time })),
    )
  ).map(({ status }) => status)

/** Two commands with one id, the later one first. */
const reversed = (later: Partial<Delivery>, earlier: Partial<Delivery>) => [
  event('a', 'later', { bodyhash: 'later', ...later }),
  event('a', 'earlier', { bodyhash: 'earlier', ...earlier }),
]

test.each<[string, Partial<Delivery>, Partial<Delivery>]>([
  ['by offset', { knativekafkaoffset: '8' }, { knativekafkaoffset: '7' }],
  [
    'by offset, whatever the clocks of publish say',
    { knativekafkaoffset: '8', time: '2026-01-01T00:00:00.000Z' },
    { knativekafkaoffset: '7', time: '2026-01-01T00:00:00.050Z' },
  ],
  [
    'by time in another partition',
    { knativekafkapartition: '0', time: '2026-01-01T00:00:00.001Z' },
    { knativekafkapartition: '1', time: '2026-01-01T00:00:00.000Z' },
  ],
  [
    'by time, where one came back from the error topic',
    { knativekafkaoffset: '8', time: '2026-01-01T00:00:00.001Z' },
    { knativekafkaoffset: '9', time: '2026-01-01T00:00:00.000Z', knativeerrordest: 'http://persist' },
  ],
])(
  'given two bodies with one id in flight, the earlier one last (%s), then the earlier one is applied',
  async (_, later, earlier) => {
    const { persist } = start()
    const answers = await Promise.all(reversed(later, earlier).map((event) => persist(event)))
    expect(answers.map(({ status }) => status)).toEqual([204, 204])
    expect((await store.get(notes, ['a'])).get('a')).toMatchObject({ text: 'earlier' })
    expect(await outcomesOf('a', 'earlier', 'later')).toEqual(['applied', 'rejected'])
  },
)

test('given a later body whose id an earlier one in flight has that fails, then the later one waits for it', async () => {
  const { persist } = start()
  const both = () =>
    reversed({ knativekafkaoffset: '8' }, { knativekafkaoffset: '7', data: { text: 'bug' } }).map((one) => persist(one))
  for (const statuses of [
    [503, 500],
    [503, 500],
    [503, 500],
    [204, 422],
  ]) {
    expect((await Promise.all(both())).map(({ status }) => status)).toEqual(statuses)
  }
  expect(await outcomesOf('a', 'earlier', 'later')).toEqual(['parked', 'rejected'])
  expect(await stored('a')).toEqual([])
})

test('given 300 pairs of bodies with one id, delivered in any order, then each earlier one is applied', async () => {
  const { persist } = persister({
    ...quiet(),
    domains: [domain],
    store,
    clock,
    random: Math.random,
    instance: 'pod-1',
    maxInFlight: 1000,
    trust: trusting,
  })
  // Its first batches are small: it does not know yet whether the run before has crashed.
  await persist(event('first', 'of all'))
  const pairs = Array.from({ length: 300 }, (_, at) => [
    event(`p${at}`, 'earlier', { bodyhash: 'earlier' }),
    event(`p${at}`, 'later', { bodyhash: 'later' }),
  ])
  const turned = pairs.flat().map((event, at) => ({ event, turn: (at * 7919) % 600 }))
  await Promise.all(turned.sort((a, b) => a.turn - b.turn).map(({ event }) => persist(event)))
  const ids = pairs.map((_, at) => `p${at}`)
  const documents = [...(await store.get(notes, ids)).values()]
  expect(documents.filter(({ text }) => text === 'earlier')).toHaveLength(300)
})

test('given a later body that is stored before the earlier one arrives, then it stays, and the earlier one is rejected', async () => {
  const { persist } = start()
  for (const event of reversed({ knativekafkaoffset: '8' }, { knativekafkaoffset: '7' })) await persist(event)
  expect((await store.get(notes, ['a'])).get('a')).toMatchObject({ text: 'later' })
  expect(await outcomesOf('a', 'earlier', 'later')).toEqual(['rejected', 'applied'])
})

test('given a bug, then 500 for three attempts, 422 and a letter at the fourth, and its batch mates are done', async () => {
  const { persist } = start()
  const answers = []
  const pauses = []
  for (let attempt = 1; attempt <= 4; attempt++) {
    const before = time
    const [bug, mate] = await Promise.all([persist(event('bug', 'bug')), persist(event(`mate-${attempt}`, 'fine'))])
    answers.push(bug.status)
    pauses.push(time - before)
    expect(mate.status).toBe(204)
  }
  expect(answers).toEqual([500, 500, 500, 422])
  expect(pauses).toEqual([800, 1600, 3400, 0])
  expect(await letterOf('bug')).toMatchObject({
    error: 'division by zero',
    attempts: 4,
    event: { data: '{"text":"bug"}' },
  })
  expect(
    await readReceipts(store, domain, [
      { domain: 'notes', id: 'bug', hash: String((await letterOf('bug'))?.hash), time },
    ]),
  ).toEqual([{ status: 'parked', reason: expect.stringMatching(/^A bug of the site .* kept as letter bug\. /) }])
})

test('given attempts on several instances, then they are counted together', async () => {
  const statuses = []
  for (const persist of [start(), start(), start(), start()].map(({ persist }) => persist)) {
    statuses.push((await persist(event('bug', 'bug'))).status)
  }
  expect(statuses).toEqual([500, 500, 500, 422])
})

test('given counts that version 0.1 left in its collection, then they are no obstacle', async () => {
  const of01 = { name: 'attempts', indexes: {} }
  await store.prepare([of01])
  await store.insert(of01, [{ _id: 'bug', count: 2 }])
  const { persist } = start()
  expect((await persist(event('bug', 'bug'))).status).toBe(500)
})

test('given a bug that is mended before the fourth attempt, then the command is applied and its count forgotten', async () => {
  const { persist } = start()
  await persist(event('bug', 'bug'))
  isBroken = false
  expect((await persist(event('bug', 'bug'))).status).toBe(204)
  expect(await stored('bug')).toEqual(['bug'])
})

test('given attempts that never come back, then at the sixth delivery at the latest it is parked, and its batch mates are applied', async () => {
  const hang = {
    insert: (c: typeof notes, d: Document[]) => (hangs(c, d) ? never() : store.insert(c, d)),
  } as Partial<Store>
  const hangs = ({ name }: { name: string }, documents: Document[]) =>
    name === 'notes' && documents.some(({ _id }) => _id === 'bomb')
  let deliveries = 0
  for (; deliveries < 10 && !(await letterOf('bomb')); deliveries++) {
    const { persist } = start(hang)
    void persist(event('mate', 'fine'))
    void persist(event('bomb', 'bomb'))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(deliveries).toBeGreaterThanOrEqual(4)
  expect(deliveries).toBeLessThanOrEqual(6)
  expect(await letterOf('bomb')).toMatchObject({ error: expect.stringContaining('no attempt came back') })
  expect(await letterOf('mate')).toBeUndefined()
  expect((await start().persist(event('mate', 'fine'))).status).toBe(204)
  expect(await stored('mate')).toEqual(['mate'])
})

test('given a command that kills the process, then one of another domain beside it is not taken for its cause', async () => {
  const others: AppendDomain = {
    ...domain,
    name: 'others',
    topic: { name: 'others', partitions: 1 },
    commands: { 'others.add': domain.commands['notes.add'] as CommandType },
    documents: { ...domain.documents, collection: { name: 'others', indexes: {} } },
  }
  await store.prepare(collections([domain, others]))
  for (let run = 0; run < 10 && !(await letterOf('bomb')); run++) {
    let isDead = false
    const insert: Store['insert'] = async (collection, documents) => {
      isDead ||= collection.name === 'notes' && documents.some(({ _id }) => _id === 'bomb')
      await new Promise((resolve) => setImmediate(resolve))
      return isDead ? await never() : await store.insert(collection, documents)
    }
    const parts = {
      domains: [domain, others],
      clock,
      random: Math.random,
      instance: 'pod-1',
      maxInFlight: 10,
      trust: trusting,
    }
    const { persist } = persister({ ...quiet(), ...parts, store: { ...store, insert } })
    void persist(event('bomb', 'bomb'))
    void persist(event('innocent', 'x', { type: 'others.add' }))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(await letterOf('bomb')).toBeDefined()
  expect(await letterOf('innocent')).toBeUndefined()
})

test('given an instance that stopped as it should, then the next one does not count first attempts', async () => {
  const first = start()
  await first.persist(event('a', 'a'))
  await first.close()
  let counted = 0
  const commit: Store['commit'] = (writes) => {
    counted += writes.filter(({ collection }) => collection.name === attempts.name).length
    return store.commit(writes)
  }
  await start({ commit }).persist(event('b', 'b'))
  expect(counted).toBe(0)
})

test('given an outage, then the command is held, 45 s at most, then 503, and never counted', async () => {
  const away = () => Promise.reject(new Unavailable('store', 'gone'))
  let isAway = true
  const insert: Store['insert'] = (collection, documents) =>
    isAway && collection.name === 'notes' ? away() : store.insert(collection, documents)
  const { persist } = start({ insert })
  for (let delivery = 0; delivery < 10; delivery++) {
    const before = time
    expect((await persist(event('a', 'a'))).status).toBe(503)
    expect(time - before).toBeGreaterThan(43_000)
    expect(time - before).toBeLessThanOrEqual(45_000)
  }
  expect((await store.get(attempts, ['a'])).size).toBe(0)
  isAway = false
  expect((await persist(event('a', 'a'))).status).toBe(204)
  expect(await letterOf('a')).toBeUndefined()
})

test('given outages after a crash, when attempts are counted, then an outage still counts for nothing', async () => {
  await start().persist(event('before', 'the crash'))
  let isAway = true
  const insert: Store['insert'] = (collection, documents) =>
    isAway && collection.name === 'notes'
      ? Promise.reject(new Unavailable('store', 'gone'))
      : store.insert(collection, documents)
  const { persist } = start({ insert })
  for (let delivery = 0; delivery < 10; delivery++) expect((await persist(event('a', 'a'))).status).toBe(503)
  isAway = false
  expect((await persist(event('a', 'a'))).status).toBe(204)
})

test('given a store whose answers are lost after a crash, then nothing is counted twice, and nothing innocent is parked', async () => {
  await start().persist(event('before', 'the crash'))
  const lost = async <Result>(work: Promise<Result>): Promise<never> => {
    await work
    throw new Unavailable('store', 'the answer was lost')
  }
  let isUnsure = true
  const commit: Store['commit'] = (writes) => (isUnsure ? lost(store.commit(writes)) : store.commit(writes))
  const insert: Store['insert'] = (collection, documents) =>
    collection.name === 'notes' && isUnsure
      ? Promise.reject(new Unavailable('store', 'gone'))
      : store.insert(collection, documents)
  for (let process = 0; process < 12; process++) {
    const { persist, close } = start({ commit, insert, remove: () => lost(Promise.resolve()) })
    expect((await persist(event('a', 'a'))).status).toBe(503)
    if (process % 2) await close()
  }
  isUnsure = false
  expect((await start().persist(event('a', 'a'))).status).toBe(204)
  expect(await letterOf('a')).toBeUndefined()
})

test('given attempts of many runs with an unknown end, then the command is parked in the end', async () => {
  const begun = Array.from({ length: 20 }, (_, run) => `run-${run}`)
  await store.commit([{ collection: attempts, swap: [{ _id: 'a', faults: 0, begun, generation: 1 }] }])
  await start().persist(event('before', 'the crash'))
  const { persist } = start()
  expect((await persist(event('a', 'a'))).status).toBe(422)
  expect((await persist(event('b', 'b'))).status).toBe(204)
})

test('given a fault while its count can not be written, then 503, and it is tried again', async () => {
  let isAway = true
  const commit: Store['commit'] = (writes) => {
    const [first] = writes.flatMap(({ swap = [] }) => swap)
    return isAway && first?.faults === 1 ? Promise.reject(new Unavailable('store', 'gone')) : store.commit(writes)
  }
  const { persist } = start({ commit })
  expect((await persist(event('bug', 'bug'))).status).toBe(503)
  isAway = false
  for (const status of [500, 500, 500, 422]) expect((await persist(event('bug', 'bug'))).status).toBe(status)
})

test('given an outage that ends while the command is held, then it is applied', async () => {
  let failures = 5
  const insert: Store['insert'] = (collection, documents) =>
    collection.name === 'notes' && failures-- > 0
      ? Promise.reject(new Unavailable('store', 'gone'))
      : store.insert(collection, documents)
  expect((await start({ insert }).persist(event('a', 'a'))).status).toBe(204)
})

test('given what is no command, then 422 and a letter; delivered again, then 422 and still one letter', async () => {
  const { persist } = start()
  const unknown = event('u', 'x', { type: 'nobody.knows' })
  expect((await persist(unknown)).status).toBe(422)
  expect((await persist(unknown)).status).toBe(422)
  expect((await persist(event('s', 42))).status).toBe(422)
  expect((await store.find(letters, { index: 'arrival', limit: 10 })).map(({ _id }) => _id).sort()).toEqual(['s', 'u'])
})

test('given two letters with one id, then both are kept', async () => {
  const { persist } = start()
  await persist(event('u', 'one', { type: 'nobody.knows' }))
  await persist(event('u', 'two', { type: 'nobody.knows' }))
  const kept = await store.find(letters, { index: 'arrival', limit: 10 })
  expect(kept.map(({ event }) => (event as { data: string }).data).sort()).toEqual(['{"text":"one"}', '{"text":"two"}'])
})

test('given what is not from a KafkaSource, then 404 and nothing is kept', async () => {
  const { knativekafkaoffset: _, ...stray } = event('a', 'a')
  expect((await start().persist(stray as Delivery)).status).toBe(404)
  expect(await stored('a')).toEqual([])
})

test('given more than may wait, then 503 at once, and what waits is applied', async () => {
  const { persist } = start()
  const answers = await Promise.all(Array.from({ length: 15 }, (_, index) => persist(event(`n${index}`, 'x'))))
  expect(answers.filter(({ status }) => status === 204)).toHaveLength(10)
  expect(answers.filter(({ status }) => status === 503)).toHaveLength(5)
})

test('given what comes back from the error topic, then a letter of it is kept and it is done: not copied there for ever', async () => {
  const { persist } = start()
  const copy = { knativeerrordest: 'http://persist/', knativeerrorcode: '503' }
  expect((await persist(event('unknown', 'a', { ...copy, type: 'nobody.knows' }))).status).toBe(204)
  expect(await letterOf('unknown')).toMatchObject({ error: 'unknown command type nobody.knows' })
  for (const status of [500, 500, 500, 204]) expect((await persist(event('bug', 'bug', copy))).status).toBe(status)
  expect(await letterOf('bug')).toMatchObject({ error: 'division by zero' })
  isBroken = false
  expect((await persist(event('bug', 'bug', copy))).status).toBe(204)
  expect(await stored('bug')).toEqual([])
  expect((await persist(event('late', 'applied after all', copy))).status).toBe(204)
  expect(await stored('late')).toEqual(['late'])
})

test('given letters of an append domain, then a redrive applies those that can be, and a discard ends the others', async () => {
  await store.prepare(collections([domain, letterDomain]))
  const { persist } = persister({
    ...quiet(),
    domains: [domain, letterDomain],
    store,
    clock,
    random: Math.random,
    instance: 'pod-1',
    maxInFlight: 10,
    trust: trusting,
  })
  for (let delivery = 0; delivery < 4; delivery++) await persist(event('bug', 'bug'))
  expect((await persist(event('bad', 42))).status).toBe(422)
  isBroken = false
  expect((await persist(event('redrive', '', { type: 'letters.redrive', data: { domain: 'notes' } }))).status).toBe(204)
  const outcome = (await store.get(letterDomain.documents.collection, ['redrive'])).get('redrive')
  expect(outcome).toMatchObject({ redriven: 1, failures: 1, failed: [{ id: 'bad' }] })
  expect(await stored('bug')).toEqual(['bug'])
  expect(await letterOf('bug')).toBeUndefined()
  const discard = event('discard', '', { type: 'letters.discard', data: { id: 'bad', reason: 'a typing error' } })
  expect((await persist(discard)).status).toBe(204)
  expect(await letterOf('bad')).toBeUndefined()
})
