import { expect, test } from 'vitest'
import { z } from 'zod'
import type { CallerOf } from '#core/access.ts'
import { events } from '#core/collections.ts'
import { ResumeLost } from '#core/store.ts'
import type { DocumentReader } from '#domains/domain.ts'
import type { LiveQuery } from '#domains/query.ts'
import { manualClock } from '#test/clock.ts'
import { reader, type Told } from '#test/live-reader.ts'
import { asking, authors, insertForList, notes, put, world } from '#test/reading.ts'

const live: LiveQuery = {
  answers: 'live',
  path: '/live',
  params: z.object({ author: z.string().optional() }),
  of: { collection: 'notes' },
  keep: (note, { author }) => author === undefined || note.author === author,
  shape: ({ _id }) => ({ id: _id }),
}
const insert = (...ids: string[]) =>
  insertForList(
    notes,
    ids.map((_id) => ({ _id, author: _id.replace(/\d+/, '') })),
  )

const idsOf = (told: Told[]) =>
  told.filter(({ event }) => event === 'message').map(({ data }) => (data as { id: string }).id)

test('each client gets the inserts that match its parameters, from the beginning of its stream', async () => {
  await insert('ada0')
  const { respond } = asking([live])
  const [all, ada] = [reader((await respond('/live')).body), reader((await respond('/live?author=ada')).body)]
  expect(await all.until(1)).toEqual([{ event: 'begun', data: {}, id: expect.any(String) }])
  await ada.until(1)
  await insert('ada1', 'bob1', 'ada2')
  expect(idsOf(await all.until(4))).toEqual(['ada1', 'bob1', 'ada2'])
  expect(idsOf(await ada.until(3))).toEqual(['ada1', 'ada2'])
  await Promise.all([all.stop(), ada.stop()])
})

test('a client that reconnects gets all inserts in between, even if it had received only the beginning', async () => {
  const { respond } = asking([live])
  const first = reader((await respond('/live')).body)
  await first.until(1)
  await first.stop()
  await insert('a1', 'a2', 'a3')
  const second = reader((await respond('/live', { 'last-event-id': first.last() })).body)
  expect(idsOf(await second.until(2)).slice(0, 2)).toEqual(['a1', 'a2'])
  await second.until(3)
  await second.stop()
  const [, { id } = {}] = second.told
  const third = reader((await respond('/live', { 'last-event-id': id })).body)
  expect(idsOf(await third.until(1))).toEqual(['a3'])
  await third.stop()
})

test('each client gets the inserts of its caller, live, and also from the Last-Event-ID of another caller', async () => {
  const own: LiveQuery = {
    ...live,
    keep: ({ author }, _, { id }) => author === id,
    shape: ({ _id }, { params, caller }) => ({ id: `${_id} for ${caller.id} as ${params.author}` }),
  }
  const callerOf = async ({ authorization = '' }) => ({ id: authorization, scopes: new Set<string>() })
  const { respond } = asking([own], { callerOf: callerOf as CallerOf })
  const connect = async (authorization: string, lastEventId?: string) =>
    reader((await respond('/live?author=x', { authorization, 'last-event-id': lastEventId })).body)
  const clients = [await connect('ada'), await connect('bob')] as const
  for (const client of clients) await client.until(1)
  await insert('ada1', 'bob1', 'ada2', 'bob2')
  const expected = (name: string) => [1, 2].map((number) => `${name}${number} for ${name} as x`)
  const [begun] = clients[0].told
  for (const [at, name] of ['ada', 'bob'].entries())
    expect(idsOf((await clients[at]?.until(3)) ?? [])).toEqual(expected(name))
  const inMemory = await connect('bob', begun?.id)
  expect(idsOf(await inMemory.until(2))).toEqual(expected('bob'))
  await Promise.all([...clients, inMemory].map((client) => client.stop()))

  const behind = [await connect('ada', begun?.id), await connect('bob', begun?.id)] as const
  for (const [at, name] of ['ada', 'bob'].entries())
    expect(idsOf((await behind[at]?.until(2)) ?? [])).toEqual(expected(name))
  await Promise.all(behind.map((client) => client.stop()))
})

test('an unknown Last-Event-ID is a reset, and later inserts follow it', async () => {
  const { respond } = asking([live])
  const lost = reader((await respond('/live', { 'last-event-id': 'bm9uc2Vuc2U' })).body)
  expect(await lost.until(1)).toEqual([{ event: 'reset', data: {}, id: expect.any(String) }])
  await insert('a1')
  expect(idsOf(await lost.until(2))).toEqual(['a1'])
  await lost.stop()
})

test('heartbeats carry the position after inserts that were not for the client', async () => {
  const clock = manualClock()
  const { respond } = asking([live], { clock })
  const { body } = await respond('/live?author=ada')
  const client = reader(body)
  await client.until(1)
  const [begun] = client.told
  await insert('bob1')
  const next = client.read()
  while (client.last() === begun?.id) await clock.advance(1000)
  await next
  expect(client.told).toHaveLength(1)
  await client.stop()
  await insert('ada1')
  const again = reader((await respond('/live', { 'last-event-id': client.last() })).body)
  expect(idsOf(await again.until(1))).toEqual(['ada1'])
  await again.stop()
})

test('a stream ends before the time limit with its position, and when the host drains', async () => {
  const clock = manualClock()
  const closing = new AbortController()
  const { respond } = asking([live], { clock })
  const began = clock.now()
  const client = reader((await respond('/live')).body)
  await client.until(1)
  const ended = (async () => {
    while (await client.read());
  })()
  while (!client.isEnded()) await clock.advance(1000)
  await ended
  expect(clock.now() - began).toBeGreaterThan(230_000)
  expect(clock.now() - began).toBeLessThanOrEqual(241_000)
  const other = reader((await respond('/live', {}, { closing: closing.signal })).body)
  await other.until(1)
  closing.abort()
  expect(await other.read()).toBe(false)
})

test('a client that disconnects during a silence leaves no watch open', async () => {
  let open = 0
  const watch: typeof world.store.watch = async function* (...args) {
    open++
    try {
      yield* world.store.watch(...args)
    } finally {
      open--
    }
  }
  const gone = new AbortController()
  const { respond } = asking([live], { store: { ...world.store, watch } })
  const client = reader((await respond('/live', {}, gone)).body)
  await client.until(1)
  const waiting = client.read()
  expect(open).toBe(1)
  gone.abort()
  expect(await waiting).toBe(false)
  await expect.poll(() => open).toBe(0)
})

test('a stream to a slow client ends, and the client loses nothing when it reconnects', async () => {
  const shape: LiveQuery['shape'] = ({ _id }) => ({ id: _id, text: 'x'.repeat(10_000) })
  const { respond } = asking([{ ...live, shape }])
  const [slow, quick] = [reader((await respond('/live')).body), reader((await respond('/live')).body)]
  await slow.until(1)
  await quick.until(1)
  const ids = Array.from({ length: 100 }, (_, at) => `a${at}`)
  for (const id of ids) {
    await insert(id)
    await quick.until(quick.told.length + 1)
  }
  while (await slow.read());
  const got = idsOf(slow.told)
  expect(got.length).toBeGreaterThan(10)
  expect(got.length).toBeLessThan(40)
  let last = slow.last()
  while (got.length < 100) {
    const again = reader((await respond('/live', { 'last-event-id': last })).body)
    await again.until(100 - got.length)
    got.push(...idsOf(again.told))
    last = again.last()
    await again.stop()
  }
  expect(got).toEqual(ids)
  expect(idsOf(quick.told)).toEqual(ids)
  await quick.stop()
})

test('a document that makes the domain throw is left out, and the stream continues', async () => {
  const keep: LiveQuery['keep'] = ({ _id }) => {
    if (_id === 'a2') throw new Error('a bug')
    return true
  }
  const { respond } = asking([{ ...live, keep }])
  const client = reader((await respond('/live')).body)
  await client.until(1)
  await insert('a1', 'a2', 'a3')
  expect(idsOf(await client.until(3))).toEqual(['a1', 'a3'])
  await client.stop()
})

test('a live query over events has those of its own domain only', async () => {
  const shape: LiveQuery['shape'] = ({ number, type }) => ({ id: `${type} ${number}` })
  const { respond } = asking([{ ...live, of: 'events', shape }])
  const client = reader((await respond('/live')).body)
  await client.until(1)
  const event = (key: string, number: number) => ({ _id: `${key}#${number}`, key, number, type: 'happened' })
  await world.store.insert(events, [event('other:x', 1), event('reading:x', 1), event('reading-more:x', 1)])
  await world.store.insert(events, [event('reading:x', 2)])
  expect(idsOf(await client.until(3))).toEqual(['happened 1', 'happened 2'])
  await client.stop()
})

test('a watch that loses its position later is a reset too', async () => {
  let breaks = true
  const watch: typeof world.store.watch = async function* (...args) {
    for await (const inserted of world.store.watch(...args)) {
      yield inserted
      if (breaks) {
        breaks = false
        throw new ResumeLost('the history is too short')
      }
    }
  }
  const { respond } = asking([live], { store: { ...world.store, watch } })
  const client = reader((await respond('/live')).body)
  await client.until(1)
  await insert('a1')
  await client.until(3)
  expect(client.told.map(({ event }) => event)).toEqual(['begun', 'message', 'reset'])
  await client.stop()
})

test('a stream whose parent does not exist is 404', async () => {
  await put(authors, [{ _id: 'ada' }])
  const parent = {
    touches: ({ author = '' }) => [{ collection: 'authors', ids: [String(author)] }],
    exists: (documents: DocumentReader, { author = '' }) => documents.get('authors', String(author)) !== undefined,
  }
  const { respond } = asking([{ ...live, parent }])
  await expect(respond('/live?author=eve')).rejects.toMatchObject({ status: 404 })
  const { told, until } = reader((await respond('/live?author=ada')).body)
  await until(1)
  expect(told).toMatchObject([{ event: 'begun' }])
})
