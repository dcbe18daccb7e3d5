import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import type { CallerOf } from '#core/access.ts'
import { systemClock } from '#core/clock.ts'
import { changes, collections } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import { addresses } from '#core/receipts.ts'
import { type Request, traceOf } from '#core/request.ts'
import type { Store } from '#core/store.ts'
import { waiting } from '#core/waiting.ts'
import type { Domain } from '#domains/domain.ts'
import { type Persister, persister } from '#functions/persist/persister.ts'
import { querier } from '#functions/query/querier.ts'
import { reader, type Told } from './live-reader.ts'
import { shop } from './shop.ts'
import { quiet } from './telemetry.ts'
import { trusting } from './trust.ts'

/** A live list from the commands of persist to the events of each caller, on the embedded store. */

let dir: string
let file: ReturnType<typeof openFile>
let store: Store
let persisters: Persister[]
let stops: (() => unknown)[]

const startPersist = (instance: string, domain: Domain = shop): Persister => {
  const parts = { ...quiet(), domains: [domain], store, clock: systemClock, random: Math.random }
  return persister({ ...parts, instance, maxInFlight: 1000, trust: trusting })
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'live-list-'))
  file = openFile(dir)
  store = embeddedStore(file)
  await store.prepare(collections([shop]))
  persisters = [startPersist('pod-1'), startPersist('pod-2')]
  stops = []
})

afterEach(async () => {
  vi.useRealTimers()
  for (const stop of stops) await stop()
  for (const { close } of persisters) await close()
  await store.close()
  file.close()
  rmSync(dir, { recursive: true })
})

let offset = 0
/** A command as a KafkaSource delivers it, to one of the instances of persist. */
async function send(type: string, data: { id: string; [name: string]: string }, pod = 0): Promise<void> {
  const delivery: Delivery = {
    specversion: '1.0',
    id: `command-${offset}`,
    source: '/test',
    type: `shop.${type}`,
    time: new Date().toISOString(),
    partitionkey: `order/${data.id}`,
    knativekafkapartition: '0',
    knativekafkaoffset: String(offset++),
    data,
  }
  expect(await persisters[pod]?.persist(delivery)).toMatchObject({ status: 204 })
}
const place = (id: string, customer: string) => send('place', { id, customer })
const write = (id: string, more: { state?: string; memo?: string }) => send('write', { id, ...more })

/** An instance of query, whose callers name themselves. */
function startQuery(domain: Domain = shop) {
  const callerOf = async ({ authorization = '' }) => ({ id: authorization, scopes: new Set<string>() })
  const query = querier({
    ...quiet(),
    domains: [domain],
    callerOf: callerOf as CallerOf,
    store,
    addresses: addresses('a secret of this test'),
    waiting: waiting(store, [domain], systemClock),
    clock: systemClock,
    random: Math.random,
    faults: false,
    descriptions: {},
  })
  const never = new AbortController().signal
  return async function connect(authorization: string, position?: string, path = '/api/shop/live') {
    const headers = { authorization, ...(position === undefined ? {} : { 'last-event-id': position }) }
    const more = { address: '127.0.0.1', signal: never, closing: never, trace: traceOf({}), route: '' }
    const request = { method: 'GET', path, query: new URLSearchParams(), headers, ...more }
    const client = reader((await query(request as unknown as Request)).body)
    stops.push(client.stop)
    return client
  }
}

/** The events as `kind id state`, with the state before a change. */
const textsOf = (told: Told[]) =>
  told.map(({ event, data }) => {
    const { id = '', state = '', from } = data as { id?: string; state?: string; from?: string }
    return [event, id, ...(from === undefined ? [] : [from]), state].filter(Boolean).join(' ')
  })

test('an order that is placed, written and cancelled is inserted, changed and removed, also after a reconnect in between', async () => {
  const connect = startQuery()
  const client = await connect('ada')
  await client.until(1)
  await place('1', 'ada')
  await write('1', { state: 'paid' })
  await send('cancel', { id: '1' })
  const expected = ['begun', 'message 1 placed', 'changed 1 placed paid', 'removed 1 paid']
  expect(textsOf(await client.until(4))).toEqual(expected)
  const [begun, inserted, changed] = client.told.map(({ id }) => id)
  for (const [at, position] of [begun, inserted, changed].entries()) {
    const inMemory = await connect('ada', position)
    expect(textsOf(await inMemory.until(3 - at))).toEqual(expected.slice(1 + at))
    const elsewhere = await startQuery()('ada', position)
    expect(textsOf(await elsewhere.until(3 - at))).toEqual(expected.slice(1 + at))
  }
})

test('a caller sees nothing of the orders of others, nor changes of what no customer sees, and loses an order that is given away', async () => {
  const connect = startQuery()
  const [ada, bob] = [await connect('ada'), await connect('bob')]
  await Promise.all([ada.until(1), bob.until(1)])
  await place('1', 'ada')
  await write('1', { memo: 'a bad customer' })
  await write('1', { state: 'placed' })
  await send('give', { id: '1', customer: 'bob' })
  await write('1', { state: 'paid' })
  await place('2', 'ada')
  await place('3', 'bob')
  expect(textsOf(await ada.until(4))).toEqual(['begun', 'message 1 placed', 'removed 1 placed', 'message 2 placed'])
  expect(textsOf(await bob.until(4))).toEqual([
    'begun',
    'message 1 placed',
    'changed 1 placed paid',
    'message 3 placed',
  ])
})

test('the position of one caller gives another caller only its own', async () => {
  const connect = startQuery()
  const ada = await connect('ada')
  const [{ id } = {}] = await ada.until(1)
  await place('1', 'ada')
  await place('2', 'bob')
  await ada.until(2)
  const bob = await connect('bob', id)
  expect(textsOf(await bob.until(1))).toEqual(['message 2 placed'])
})

test('the commands of one batch are one change of each order', async () => {
  const client = await startQuery()('ada')
  await client.until(1)
  await place('1', 'ada')
  await Promise.all([
    write('1', { state: 'packed' }),
    write('1', { state: 'sent' }),
    place('2', 'ada'),
    send('cancel', { id: '2' }),
    place('3', 'ada'),
  ])
  expect(textsOf(await client.until(4))).toEqual([
    'begun',
    'message 1 placed',
    'changed 1 placed sent',
    'message 3 placed',
  ])
})

test('with two instances of persist each change continues from the one before it', async () => {
  const client = await startQuery()('ada')
  await client.until(1)
  const orders = ['1', '2', '3']
  await Promise.all(orders.map((id) => place(id, 'ada')))
  const steps = Array.from({ length: 60 }, (_, at) => ({ id: orders[at % 3] as string, state: `state ${at}` }))
  await Promise.all(steps.map((step, at) => send('write', step, at % 2)))
  const ends = new Map<string, string>()
  const isSettled = async () => {
    const stored = await store.get({ name: 'orders', indexes: {} }, orders)
    return orders.every((id) => ends.get(id) === stored.get(id)?.state)
  }
  for (let seen = 1; seen < 4 || !(await isSettled()); seen++) {
    const { event, data } = (await client.until(seen + 1))[seen] as Told
    const { id, state, from } = data as { id: string; state: string; from?: string }
    expect({ event, from }).toEqual(
      ends.has(id) ? { event: 'changed', from: ends.get(id) } : { event: 'message', from: undefined },
    )
    ends.set(id, state)
  }
})

test('a view is a live list too, fed by many streams, of two instances of persist', async () => {
  const client = await startQuery()('ada', undefined, '/api/shop/states/live')
  await client.until(1)
  await Promise.all(['1', '2'].map((id, pod) => send('write', { id, state: 'paid' }, pod)))
  await write('3', { state: 'paid' })
  await write('1', { memo: 'of no state' })
  await write('1', { state: 'paid' })
  const expected = ['begun', 'message paid 1', 'changed paid 2', 'changed paid 3', 'removed paid 3']
  expect(textsOf(await client.until(5))).toEqual(expected)
})

test('a command that is delivered twice tells its change once', async () => {
  const client = await startQuery()('ada')
  await client.until(1)
  await place('1', 'ada')
  offset--
  await place('1', 'ada')
  await place('2', 'ada')
  expect(textsOf(await client.until(3))).toEqual(['begun', 'message 1 placed', 'message 2 placed'])
})

test('an order that is too large to record is a reset, and later changes follow', async () => {
  const connect = startQuery()
  const client = await connect('ada')
  await client.until(1)
  await place('1', 'ada')
  await write('1', { memo: 'x'.repeat(300_000) })
  await write('1', { memo: '', state: 'paid' })
  await write('1', { state: 'sent' })
  const expected = ['begun', 'message 1 placed', 'reset', 'reset', 'changed 1 paid sent']
  expect(textsOf(await client.until(5))).toEqual(expected)
  const again = await connect('ada', client.told[3]?.id)
  expect(textsOf(await again.until(1))).toEqual(expected.slice(4))
})

test.each([
  ['of the collection itself, which a version without changes gave', '1'],
  ['of the collection itself, with more digits', '1000000001'],
  ['that is no position', 'changes x'],
  ['beyond the last change', 'changes 999'],
])('a position %s is a reset', async (_, position) => {
  await place('1', 'ada')
  await place('2', 'ada')
  const client = await startQuery()('ada', Buffer.from(position).toString('base64url'))
  await client.until(1)
  await place('3', 'ada')
  expect(textsOf(await client.until(2))).toEqual(['reset', 'message 3 placed'])
})

test('a position from before changes that have expired is a reset, and one from after them is not', async () => {
  const connect = startQuery()
  const client = await connect('ada')
  await client.until(1)
  await place('1', 'ada')
  await place('2', 'ada')
  const [, first] = (await client.until(3)).map(({ id }) => id)
  const last = await connect('ada')
  const [{ id: second } = {}] = await last.until(1)
  await Promise.all([client.stop(), last.stop()])
  vi.useFakeTimers({ now: Date.now() + (changes.expireAfter + 60) * 1000, toFake: ['Date'] })
  await store.prepare(collections([shop]))
  const lost = await connect('ada', first)
  expect(textsOf(await lost.until(1))).toEqual(['reset'])
  const known = await connect('ada', second)
  await place('3', 'ada')
  expect(textsOf(await known.until(1))).toEqual(['message 3 placed'])
})

test('a live query over events has every event, and a domain without live lists records no changes', async () => {
  const queries = shop.queries.filter((query) => 'of' in query && query.of === 'events')
  const quieter = { ...shop, queries }
  await Promise.all(persisters.map(({ close }) => close()))
  persisters = [startPersist('pod-1', quieter)]
  const client = await startQuery(quieter)('ada', undefined, '/api/shop/events/live')
  await client.until(1)
  await Promise.all([place('1', 'ada'), write('1', { state: 'paid' }), send('cancel', { id: '1' })])
  const told = await client.until(4)
  expect(told.slice(1).map(({ event, data }) => [event, data])).toEqual([
    ['message', { type: 'written' }],
    ['message', { type: 'written' }],
    ['message', { type: 'cancelled' }],
  ])
  expect(file.database.prepare('SELECT count(*) AS count FROM doc_liveChanges').get()).toEqual({ count: 0 })
})
