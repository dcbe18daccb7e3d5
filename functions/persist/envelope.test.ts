import { beforeEach, expect, test } from 'vitest'
import { collections, letters } from '#core/collections.ts'
import { type Delivery, MALFORMED, PLAIN } from '#core/delivery.ts'
import { derivedId } from '#core/ids.ts'
import letterDomain from '#core/letters/domain.ts'
import { seals } from '#core/seals.ts'
import type { Domain, Fields } from '#domains/domain.ts'
import sums from '#domains/sums/domain.ts'
import tutorials from '#domains/tutorials/domain.ts'
import { all, ask, clock, counterOf, counting, headOf, world } from '#test/counting.ts'
import { quiet } from '#test/telemetry.ts'
import { SEALS, wary } from '#test/trust.ts'
import { toRecord } from '../publish/accepted-command.ts'
import { persister } from './persister.ts'

const domains: Domain[] = [counting, tutorials, sums, letterDomain]
beforeEach(() => world.store.prepare(collections(domains)))

const start = (trust = wary) =>
  persister({
    ...quiet(),
    domains,
    store: world.store,
    clock,
    random: Math.random,
    instance: 'pod-1',
    maxInFlight: 100,
    trust,
  })

let offset = 0
const place = () => ({ knativekafkapartition: '0', knativekafkaoffset: String(offset++) })

interface Sent {
  id: string
  type: string
  data: Fields
  actor?: string
  scopes?: string[]
  time?: number
  expectedVersion?: number
}

/** A delivery of what publish has appended. */
function published(sent: Sent, sealing = SEALS): Delivery {
  const domain = domains.find(({ commands }) => sent.type in commands) as Domain
  const { actor = 'ada', time = clock.now() } = sent
  const stream = domain.commands[sent.type]?.stream(sent.data, sent.id, actor) ?? ''
  const { record } = toRecord({ traceparent: '00-1-2-01', ...sent, actor, time, stream }, domain.topic, sealing)
  const attributes = Object.entries(record.headers ?? {}).flatMap(([name, value]) =>
    name.startsWith('ce_') ? [[name.slice(3), value]] : [],
  )
  const isText = String(record.headers?.['content-type']).startsWith('text/')
  const data: unknown = isText ? record.value : JSON.parse(String(record.value))
  return { ...Object.fromEntries(attributes), ...place(), data } as Delivery
}

const counted = (id: string, by: number, more: Partial<Sent> = {}, sealing = SEALS): Delivery =>
  published({ id, type: 'counting.count', data: { counter: 'x', by }, ...more }, sealing)

const sumsOf = { name: 'sums', indexes: { time: { fields: ['time'] } } }

/** The documents of tutorials with this title, by their ids. */
const titled = async (title: string) => {
  const { collection } = tutorials.documents
  const found = await world.store.find(collection, { index: 'time', limit: 100 })
  return new Map(found.filter((document) => document.title === title).map((document) => [document._id, document]))
}

const letterIds = async () =>
  (await world.store.find(letters, { index: 'arrival', limit: 100 })).map(({ _id, verdict, error, key }) => ({
    _id,
    verdict,
    error,
    key,
  }))

test('a sealed command is applied by its seal alone, whatever the attributes beside it say', async () => {
  const { persist } = start()
  const event = counted('sealed', 5)
  const changed = { ...event, id: 'other', actor: 'root', scopes: 'all', time: '1999-01-01T00:00:00Z', bodyhash: 'x' }
  expect((await persist({ ...changed, partitionkey: 'counter/y', type: 'counting.forget' })).status).toBe(204)
  expect(await counterOf('x')).toBe(5)
  expect((await persist(event)).status).toBe(204)
  expect(await counterOf('x')).toBe(5)
})

const forged: [string, (event: Delivery) => Delivery][] = [
  ['without a seal', ({ seal: _, ...event }) => event as Delivery],
  ['with another value', (event) => ({ ...event, data: { counter: 'x', by: 99 } })],
  ['with a seal that was changed', (event) => ({ ...event, seal: `${event.seal}x` })],
  ['with the seal of another secret', () => counted('first', 99, {}, seals(['a secret that only a forger has']))],
  [
    'which is no event, but names its stream',
    (event) => ({ ...event, type: MALFORMED, reason: 'broken JSON', seal: undefined }),
  ],
]

test.each(forged)("a record %s is a letter in nobody's name: it parks no stream and takes no id", async (_, forge) => {
  const { persist } = start()
  const honest = counted('first', 7)
  expect((await persist({ ...forge(honest), actor: 'root', scopes: 'forum:administrate' })).status).toBe(422)
  const [letter, ...others] = await letterIds()
  expect(others).toEqual([])
  expect(letter).toMatchObject({ verdict: 'refused', key: undefined })
  expect(letter?._id).not.toBe('first')
  expect(await headOf('x')).toBeUndefined()
  expect((await persist(honest)).status).toBe(204)
  expect(await counterOf('x')).toBe(7)
})

test('the same forged record is one letter, however often and from wherever it is delivered', async () => {
  const { persist } = start()
  const { seal: _, ...event } = counted('first', 7)
  await persist(event as Delivery)
  await persist({ ...event, ...place() } as Delivery)
  const copy = { ...event, ...place(), knativeerrordest: 'http://persist/' } as Delivery
  expect((await persist(copy)).status).toBe(204)
  expect(await letterIds()).toHaveLength(1)
})

test('an unsealed record is the plain command of its topic: anonymous, and under an id that no sealed command has', async () => {
  const { persist } = start()
  const sealed = published({ id: 'taken', type: 'tutorials.publish', data: { title: 'Honest' } })
  const plain: Delivery = { ...sealed, seal: undefined, source: '/old/producer', data: 'A squatter', actor: 'root' }
  expect((await persist(plain)).status).toBe(204)
  expect((await persist(sealed)).status).toBe(204)
  const [id = ''] = (await titled('A squatter')).keys()
  const found = await all(tutorials.documents.collection, 'taken', id)
  expect(found.get('taken')).toMatchObject({ title: 'Honest' })
  expect(found.get(id)).toMatchObject({ title: 'A squatter' })
})

test('a bare record whose body names the key of a client does not take that key', async () => {
  const { persist } = start()
  const value = { requestId: 'r-1', 'First Number': 1, 'Second Number': 1, Result: 2, produceTimestamp: 1 }
  const bare = {
    specversion: '1.0',
    id: 'partition:0/offset:1',
    source: '/kafkasources/old#summation',
    type: PLAIN,
    time: '2026-01-01T00:00:00.000Z',
    ...place(),
    data: JSON.stringify(value),
  }
  expect((await persist(bare)).status).toBe(204)
  const id = derivedId('sums', 'anonymous', 'r-1', 0)
  const data = { requestId: 'r-1', firstNumber: 2, secondNumber: 3 }
  expect((await persist(published({ id, type: 'sums.add', data }))).status).toBe(204)
  expect((await all(sumsOf, id)).get(id)).toMatchObject({ result: 5 })
  expect(await world.store.find(sumsOf, { index: 'time', limit: 10 })).toHaveLength(2)
})

test('a plain record can not take the id of another one: the body belongs to it', async () => {
  const { persist } = start()
  const bare = (title: string, more = {}): Delivery => ({
    specversion: '1.0',
    id: 'partition:0/offset:7',
    source: '/kafkasources/old#tutorials-topic',
    type: PLAIN,
    time: '2026-01-01T00:00:00.000Z',
    ...place(),
    data: title,
    ...more,
  })
  for (const title of ['A squatter', 'Honest', 'Honest']) expect((await persist(bare(title))).status).toBe(204)
  expect((await titled('A squatter')).size).toBe(1)
  expect((await titled('Honest')).size).toBe(1)
})

test('an unsealed record with the source of publish is never plain: the version before may have written and applied it', async () => {
  const record = { ...published({ id: 'old', type: 'tutorials.publish', data: { title: 'Old' } }), seal: undefined }
  for (const source of ['/millrace/publish', '/millrace/publish#tutorials-topic']) {
    expect((await start().persist({ ...record, source } as Delivery)).status).toBe(422)
  }
  expect(await titled('Old')).toEqual(new Map())
  const trusting = start({ ...wary, unsealed: 'trust' })
  expect((await trusting.persist(record as Delivery)).status).toBe(204)
  expect([...(await titled('Old')).keys()]).toEqual(['old'])
})

test('a forged copy does not stand in for the honest record, which is refused for now: each has a letter', async () => {
  const next = seals(['the next secret of thirty-two characters'])
  const { persist } = start()
  const honest = counted('early', 8, {}, next)
  expect((await persist({ ...honest, seal: `${honest.seal}x` })).status).toBe(422)
  expect((await persist(honest)).status).toBe(422)
  expect(await letterIds()).toHaveLength(2)
})

test('a refused letter from beyond the horizon is redriven by its id only: it may have been applied before', async () => {
  const gone = seals(['a secret that is gone, of thirty-two chars'])
  const { persist } = start()
  const time = clock.now() - 31 * 86_400_000
  expect((await persist(counted('ancient', 5, { time }, gone))).status).toBe(422)
  const [letter] = await letterIds()
  const knowing = start({
    seals: seals(['a secret of thirty-two characters', 'a secret that is gone, of thirty-two chars']),
    unsealed: 'plain',
  })
  const redrive = (id: string, data: Fields) => published({ id, type: 'letters.redrive', data })
  await knowing.persist(redrive('r-1', { error: 'seal' }))
  expect(await counterOf('x')).toBeUndefined()
  await knowing.persist(redrive('r-2', { id: String(letter?._id) }))
  expect(await counterOf('x')).toBe(5)
})

test('a value that can not be written again, and a bare one that is not UTF-8, become letters', async () => {
  const { persist } = start()
  const nested = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`)
  const bare = { source: '/kafkasources/old#tutorials-topic', type: PLAIN, time: '2026-01-01T00:00:00.000Z' }
  const event = { specversion: '1.0', id: 'partition:0/offset:9', ...bare, ...place() }
  for (const data of [nested, Buffer.from([0xff, 0xfe])]) expect((await persist({ ...event, data })).status).toBe(422)
  expect((await persist({ ...event, type: 'nobody.knows', data: nested })).status).toBe(422)
})

test('a letter keeps the verdict: it is redriven by its seal after the key has gone', async () => {
  const { persist } = start()
  const bug = counted('bug', 13)
  for (const status of [500, 500, 500, 422]) expect((await persist(bug)).status).toBe(status)
  expect(await letterIds()).toMatchObject([{ _id: 'bug', verdict: 'sealed' }])
  world.isBroken = false
  const later = seals(['a later secret of thirty-two characters'])
  const { persist: persistLater } = start({ seals: later, unsealed: 'plain' })
  const redrive = { id: 'r-1', type: 'letters.redrive', data: { id: 'bug' } }
  expect((await persistLater(published(redrive, later))).status).toBe(204)
  expect(await counterOf('x')).toBe(13)
  expect(await letterIds()).toEqual([])
})

test('a letter that was refused is judged again by its redrive: it stays while the key is unknown, and is applied once it is known', async () => {
  const next = seals(['the next secret of thirty-two characters'])
  const { persist } = start()
  expect((await persist(counted('early', 8, {}, next))).status).toBe(422)
  const [letter] = await letterIds()
  const redrive = (id: string) => published({ id, type: 'letters.redrive', data: { id: String(letter?._id) } })
  await persist(redrive('r-1'))
  expect(await letterIds()).toHaveLength(1)
  const knowing = start({
    seals: seals(['a secret of thirty-two characters', 'the next secret of thirty-two characters']),
    unsealed: 'plain',
  })
  await knowing.persist(redrive('r-2'))
  expect(await letterIds()).toEqual([])
  expect(await counterOf('x')).toBe(8)
})

test('while an upgrade drains the log, a record without a seal is believed, and one with a bad seal is not', async () => {
  const { persist } = start({ ...wary, unsealed: 'trust' })
  const { seal, ...event } = counted('old', 4)
  expect((await persist({ ...event, seal: `${seal}x` } as Delivery)).status).toBe(422)
  expect((await persist(event as Delivery)).status).toBe(204)
  expect(await counterOf('x')).toBe(4)
  expect((await persist(ask('r-1', 'redrive', { domain: 'counting' }))).status).toBe(204)
})
