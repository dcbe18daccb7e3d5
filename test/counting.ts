import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { z } from 'zod'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import type { Clock } from '#core/clock.ts'
import { collections, events, heads, letters, slotIds } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import letterDomain from '#core/letters/domain.ts'
import type { Store } from '#core/store.ts'
import type { DecideDomain, Document } from '#domains/domain.ts'
import { type Persister, persister } from '#functions/persist/persister.ts'
import { quiet } from './telemetry.ts'
import { trusting } from './trust.ts'

export const counters = { name: 'counters', indexes: {} }
const totals = { name: 'totals', indexes: {} }

/** A domain of counters up to a hundred, each a stream of its own. It has a bug while `isBroken` is true. */
export const counting: DecideDomain = {
  kind: 'decide',
  name: 'counting',
  topic: { name: 'counting', partitions: 1 },
  ordering: 'ordered',
  commands: {
    'counting.count': {
      data: z.object({ counter: z.string(), by: z.int() }),
      stream: ({ counter }) => `counter/${counter}`,
      routes: [],
    },
  },
  collections: [counters],
  touches: ({ data }) => [{ collection: 'counters', ids: [String(data.counter)] }],
  decide({ data }, documents) {
    const count = documents.get('counters', String(data.counter))?.count ?? 0
    if (Number(data.by) === 13 && world.isBroken) throw new Error('bad luck')
    if (Number(count) + Number(data.by) > 100) return { rejected: 'no counter goes beyond a hundred' }
    return { events: [{ type: 'counted', data }] }
  },
  project({ data, number }, documents) {
    const count = documents.get('counters', String(data.counter))?.count ?? 0
    const document = { _id: String(data.counter), count: Number(count) + Number(data.by), at: number }
    return [{ collection: 'counters', document }]
  },
  views: [
    {
      collection: totals,
      zero: { total: 0 },
      isSlotted: true,
      keys: () => [''],
      fold: ({ total }, { data }) => ({ total: Number(total) + Number(data.by) }),
    },
  ],
  queries: [],
}

/** The state of a test, which is new for each one. */
export const world = {
  store: undefined as unknown as Store,
  time: 0,
  isBroken: true,
}

/** A clock on which a pause ends at once, and advances the time. */
export const clock: Clock = {
  now: () => world.time,
  async sleep(ms) {
    world.time += ms
  },
}

let dir: string
let file: ReturnType<typeof openFile>

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'decide-'))
  file = openFile(dir)
  world.store = embeddedStore(file)
  await world.store.prepare(collections([counting, letterDomain]))
  world.time = Date.parse('2026-01-01T00:00:00Z')
  world.isBroken = true
})

afterEach(async () => {
  await world.store.close()
  file.close()
  rmSync(dir, { recursive: true })
})

export const start = (changes: Partial<Store> = {}, instance = 'pod-1', domain = counting): Persister =>
  persister({
    ...quiet(),
    domains: [domain, letterDomain],
    store: { ...world.store, ...changes },
    clock,
    random: Math.random,
    instance,
    maxInFlight: 1000,
    trust: trusting,
  })

let offset = 0
export const count = (id: string, counter: string, by: unknown, changes: Partial<Delivery> = {}): Delivery => ({
  specversion: '1.0',
  id,
  source: '/millrace/publish#counting',
  type: 'counting.count',
  time: '2026-01-01T00:00:00.000Z',
  partitionkey: `counter/${counter}`,
  bodyhash: `hash of ${counter} ${by}`,
  knativekafkapartition: '0',
  knativekafkaoffset: String(offset++),
  data: { counter, by } as Delivery['data'],
  ...changes,
})

export const ask = (id: string, type: 'redrive' | 'discard', data: Record<string, string>): Delivery => ({
  specversion: '1.0',
  id,
  source: '/millrace/publish#letters',
  type: `letters.${type}`,
  time: '2026-01-02T00:00:00.000Z',
  bodyhash: `hash of ${id}`,
  knativekafkapartition: '0',
  knativekafkaoffset: String(offset++),
  data,
})

export const all = async (collection: typeof counters, ...ids: string[]) => await world.store.get(collection, ids)
export const counterOf = async (id: string) => (await all(counters, id)).get(id)?.count
export const headOf = async (counter: string) =>
  (await all(heads, `counting:counter/${counter}`)).get(`counting:counter/${counter}`)
export const eventsOf = (counter: string): Promise<Document[]> =>
  world.store.find(events, { index: 'stream', where: { key: `counting:counter/${counter}` }, limit: 1000 })
export const totalOf = async () =>
  [...(await all(totals, ...slotIds())).values()].reduce((sum, { total }) => sum + Number(total), 0)
/** The ids of all letters. */
export const kept = async () => (await world.store.find(letters, { index: 'stream', limit: 100 })).map(({ _id }) => _id)
export const outcomeOf = async (id: string) => (await all(letterDomain.documents.collection, id)).get(id)
export const statuses = async (answers: Promise<{ status: number }>[]) =>
  (await Promise.all(answers)).map(({ status }) => status)
