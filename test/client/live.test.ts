import { expect, test } from 'vitest'
import { z } from 'zod'
import { startHost } from '#adapters/host/host.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { createClient } from '#client/client.ts'
import { changeRecord } from '#core/changes.ts'
import { systemClock } from '#core/clock.ts'
import { changes, events } from '#core/collections.ts'
import { addresses } from '#core/receipts.ts'
import { waiting } from '#core/waiting.ts'
import type { Document } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { descriptions } from '#functions/describe/descriptions.ts'
import { querier } from '#functions/query/querier.ts'
import { anybody } from '../auth/anybody.ts'
import { freePort } from '../mill.ts'
import { insertForList, notes, readingDomain, world } from '../reading.ts'
import { quiet } from '../telemetry.ts'

const queries = [
  {
    answers: 'live',
    path: '/api/notes/live',
    name: 'notes',
    params: z.object({ author: z.string() }),
    item: z.object({ id: z.string(), text: z.string().optional() }),
    of: { collection: 'notes' },
    keep: (note, { author }) => note.author === author,
    shape: ({ _id, text }) => ({ id: _id, ...(text ? { text } : {}) }),
  },
  {
    answers: 'live',
    path: '/api/events/live',
    name: 'happened',
    item: z.object({ type: z.string() }),
    of: 'events',
    keep: () => true,
    shape: ({ type }) => ({ type: String(type) }),
  },
] as const satisfies readonly Query[]

const domain = { ...readingDomain(...queries), contract: { kind: 'decide', commands: {}, queries } } as const

const insert = (author: string, ...ids: string[]) =>
  insertForList(
    notes,
    ids.map((_id) => ({ _id, author })),
  )

function serve(port: number) {
  const { store } = world
  const parts = {
    domains: [domain],
    callerOf: anybody,
    store,
    addresses: addresses('a secret of this test'),
    clock: systemClock,
    random: Math.random,
    faults: false,
    descriptions: descriptions({ domains: [domain], faults: false, anonymousScopes: new Set() }),
  }
  const query = querier({ ...quiet(), ...parts, waiting: waiting(store, [domain], systemClock) })
  return startHost({
    telemetry: quiet(),
    port,
    address: '127.0.0.1',
    maxBodyBytes: 1000,
    checks: {},
    mounts: [{ kind: 'http', name: 'query', serve: httpFunction(query, quiet()) }],
  })
}

test('items come as they are inserted, even across a restart of the site, until the caller stops', async () => {
  const port = await freePort()
  let host = await serve(port)
  const client = createClient<{ reading: typeof domain }>({ url: `http://127.0.0.1:${port}` })
  const begun = Promise.withResolvers<void>()
  let times = 0
  const ids: string[] = []
  const heard = (async () => {
    const options = {
      begun() {
        times++
        begun.resolve()
      },
    }
    for await (const { kind, item } of client.reading.notes.each({ author: 'ada' }, options)) {
      const { id } = item
      expect(kind).toBe('inserted')
      ids.push(id)
      if (id === 'three') break
      if (id !== 'one') continue
      await host.close()
      await insert('ada', 'two')
      await insert('bob', 'not asked for')
      host = await serve(port)
      await insert('ada', 'three')
    }
  })()
  await begun.promise
  await insert('ada', 'one')
  await heard
  expect(ids).toEqual(['one', 'two', 'three'])
  expect(times).toBe(1)
  const closed = performance.now()
  await host.close()
  expect(performance.now() - closed).toBeLessThan(5000)
}, 30_000)

test('a live list has the kind of each change, and live events are items', async () => {
  const host = await serve(0)
  const client = createClient<{ reading: typeof domain }>({ url: `http://127.0.0.1:${host.port}` })
  const [list, happened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const told = client.reading.notes.each({ author: 'ada' }, { begun: list.resolve })
  const items = client.reading.happened.each({}, { begun: happened.resolve })
  const [first, item] = [told.next(), items.next()]
  await Promise.all([list.promise, happened.promise])
  const note = { _id: '1', author: 'ada' }
  const written = { ...note, text: 'a' }
  const steps = [
    { before: undefined, after: note },
    { before: note, after: written },
    { before: written, after: { ...written, author: 'bob' } },
  ]
  for (const [at, step] of steps.entries())
    await world.store.insert(changes, [changeRecord(`${at}`, { collection: 'notes', ...step }) as Document])
  await world.store.insert(events, [{ _id: 'reading:x#1', key: 'reading:x', number: 1, type: 'written' }])
  expect([(await first).value, (await told.next()).value, (await told.next()).value]).toEqual([
    { kind: 'inserted', item: { id: '1' } },
    { kind: 'changed', item: { id: '1', text: 'a' } },
    { kind: 'removed', item: { id: '1', text: 'a' } },
  ])
  expect((await item).value).toEqual({ type: 'written' })
  await Promise.all([told.return(), items.return()])
  await host.close()
})

test('a live query that is refused is not retried', async () => {
  const host = await serve(0)
  const client = createClient<{ reading: typeof domain }>({ url: `http://127.0.0.1:${host.port}` })
  const asked = client.reading.notes.each({ author: undefined as unknown as string })
  await expect(asked.next()).rejects.toMatchObject({ status: 400, errors: [{ field: 'author' }] })
  await host.close()
})
