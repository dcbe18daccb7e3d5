import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import type { Clock } from '#core/clock.ts'
import { collections } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import type { Store } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { AppendDomain, DecideDomain } from '#domains/domain.ts'
import { quiet } from '#test/telemetry.ts'
import { trusting } from '#test/trust.ts'
import { type Persister, persister } from './persister.ts'

const data = z.object({ text: z.string() })
const stream = (_: unknown, id: string) => `note/${id}`
let isBroken = false

const throwIfBroken = (text: unknown) => {
  if (isBroken && text === 'bug') throw new Error('division by zero')
}

const notes: AppendDomain = {
  kind: 'append',
  name: 'notes',
  topic: { name: 'notes', partitions: 1 },
  commands: { 'notes.add': { data, stream, routes: [] } },
  documents: {
    collection: { name: 'notes', indexes: {} },
    document({ data: { text } }) {
      throwIfBroken(text)
      return { text: text ?? '' }
    },
  },
  queries: [],
}

const rules: DecideDomain = {
  kind: 'decide',
  name: 'rules',
  ordering: 'ordered',
  topic: { name: 'rules', partitions: 1 },
  commands: { 'rules.add': { data, stream, routes: [] } },
  collections: [],
  touches: () => [],
  decide({ data: { text } }) {
    throwIfBroken(text)
    return { events: [{ type: 'rules.added', data: {} }] }
  },
  project: () => [],
  queries: [],
}

const MINUTE = 60_000
let time: number
/** Sleeping takes no time but passes it. */
const clock: Clock = {
  now: () => time,
  async sleep(ms) {
    time += ms
  },
}

let dir: string
let file: ReturnType<typeof openFile>
let store: Store
let isAway: boolean
/** What the metrics got. */
let applied: { ms: number; isFirst: boolean }[]

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'first-'))
  file = openFile(dir)
  store = embeddedStore(file)
  await store.prepare(collections([notes, rules]))
  time = Date.parse('2030-01-01T00:00:00Z')
  isBroken = isAway = false
  applied = []
})

afterEach(async () => {
  await store.close()
  file.close()
  rmSync(dir, { recursive: true })
})

function start(): Persister {
  const reached =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      isAway ? Promise.reject(new Unavailable('store', 'gone')) : call(...args)
  const { insert, commit, get, find, remove } = store
  const reachable = {
    insert: reached(insert),
    commit: reached(commit),
    get: reached(get),
    find: reached(find),
    remove: reached(remove),
  }
  return persister({
    ...quiet(),
    domains: [notes, rules],
    store: { ...store, ...reachable },
    clock,
    random: Math.random,
    instance: 'pod-1',
    maxInFlight: 10,
    trust: trusting,
    metrics: { ...quiet().metrics, queueLatency: (_, ms, isFirst) => applied.push({ ms, isFirst }) },
  })
}

let offset = 0
const event = (domain: string, id: string, text: string): Delivery => ({
  specversion: '1.0',
  id,
  source: '/test',
  type: `${domain}.add`,
  subject: `note/${id}`,
  time: new Date(time).toISOString(),
  knativekafkapartition: '0',
  knativekafkaoffset: String(offset++),
  data: { text },
})

const statusesOf = async (persist: Persister['persist'], event: Delivery, times: number) => {
  const statuses: number[] = []
  for (let at = 0; at < times; at++) statuses.push((await persist(event)).status)
  return statuses
}

test.each(['notes', 'rules'])('%s: a delivery that comes late but first counts as first', async (domain) => {
  const { persist } = start()
  const waited = event(domain, 'a', 'first')
  time += MINUTE
  expect(await statusesOf(persist, waited, 1)).toEqual([204])
  expect(applied).toEqual([{ ms: MINUTE, isFirst: true }])
})

test.each(['notes', 'rules'])(
  '%s: a delivery of what is done already counts apart, in a new process too',
  async (domain) => {
    const first = event(domain, 'a', 'first')
    await start().persist(first)
    time += MINUTE
    expect(await statusesOf(start().persist, first, 2)).toEqual([204, 204])
    expect(applied.map(({ isFirst }) => isFirst)).toEqual([true, false, false])
  },
)

test.each(['notes', 'rules'])('%s: a delivery after a fault counts apart, in a new process too', async (domain) => {
  isBroken = true
  const [here, elsewhere] = [event(domain, 'a', 'bug'), event(domain, 'b', 'bug')]
  const { persist } = start()
  expect(await statusesOf(persist, here, 1)).toEqual([500])
  expect(await statusesOf(persist, elsewhere, 1)).toEqual([500])
  isBroken = false
  expect(await statusesOf(persist, here, 1)).toEqual([204])
  expect(applied.map(({ isFirst }) => isFirst)).toEqual([false])
  isBroken = true
  const another = start()
  expect(await statusesOf(another.persist, elsewhere, 1)).toEqual([500])
  isBroken = false
  expect(await statusesOf(another.persist, elsewhere, 1)).toEqual([204])
  expect(applied.map(({ isFirst }) => isFirst)).toEqual([false, false])
})

test.each(['notes', 'rules'])(
  '%s: what was accepted before the end of an outage counts apart, what comes after it counts as first',
  async (domain) => {
    const { persist } = start()
    const [refused, queued] = [event(domain, 'refused', 'x'), event(domain, 'queued', 'x')]
    isAway = true
    expect(await statusesOf(persist, refused, 1)).toEqual([503])
    time += MINUTE
    isAway = false
    expect(await statusesOf(persist, refused, 1)).toEqual([204])
    expect(await statusesOf(persist, queued, 1)).toEqual([204])
    expect(applied.map(({ isFirst }) => isFirst)).toEqual([false, false])
    const later = event(domain, 'later', 'x')
    time += 20
    expect(await statusesOf(persist, later, 1)).toEqual([204])
    expect(applied.at(-1)).toEqual({ ms: 20, isFirst: true })
  },
)
