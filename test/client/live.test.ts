import { expect, test } from 'vitest'
import { z } from 'zod'
import { startHost } from '#adapters/host/host.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { createClient } from '#client/client.ts'
import { systemClock } from '#core/clock.ts'
import { addresses } from '#core/receipts.ts'
import { waiting } from '#core/waiting.ts'
import type { Query } from '#domains/query.ts'
import { descriptions } from '#functions/describe/descriptions.ts'
import { querier } from '#functions/query/querier.ts'
import { anybody } from '../auth/anybody.ts'
import { freePort } from '../mill.ts'
import { notes, readingDomain, world } from '../reading.ts'
import { quiet } from '../telemetry.ts'

const queries = [
  {
    answers: 'live',
    path: '/api/notes/live',
    name: 'notes',
    params: z.object({ author: z.string() }),
    item: z.object({ id: z.string() }),
    of: { collection: 'notes' },
    keep: (note, { author }) => note.author === author,
    shape: ({ _id }) => ({ id: _id }),
  },
] as const satisfies readonly Query[]

const domain = { ...readingDomain(...queries), contract: { commands: {}, queries } }

const insert = (author: string, ...ids: string[]) =>
  world.store.insert(
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
    for await (const { id } of client.reading.notes.each({ author: 'ada' }, options)) {
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

test('a live query that is refused is not retried', async () => {
  const host = await serve(0)
  const client = createClient<{ reading: typeof domain }>({ url: `http://127.0.0.1:${host.port}` })
  const asked = client.reading.notes.each({ author: undefined as unknown as string })
  await expect(asked.next()).rejects.toMatchObject({ status: 400, errors: [{ field: 'author' }] })
  await host.close()
})
