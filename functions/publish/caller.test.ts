import { expect, test } from 'vitest'
import { z } from 'zod'
import { systemClock } from '#core/clock.ts'
import type { NewRecord } from '#core/log.ts'
import { addresses } from '#core/receipts.ts'
import type { Request } from '#core/request.ts'
import type { Caller, DecideDomain } from '#domains/domain.ts'
import { quiet } from '#test/telemetry.ts'
import { SEALS } from '#test/trust.ts'
import { publisher } from './publisher.ts'

const domain: DecideDomain = {
  kind: 'decide',
  ordering: 'unordered',
  name: 'notes',
  topic: { name: 'notes', partitions: 1 },
  commands: {
    'notes.write': {
      data: z.strictObject({ text: z.string(), of: z.string().default('acme') }),
      scope: 'notes:write',
      organisation: ({ of }) => String(of),
      stream: () => 'note/1',
      routes: [{ method: 'POST', path: '/api/notes', body: 'batch' }],
    },
  },
  collections: [{ name: 'notes', indexes: {} }],
  touches: () => [],
  decide: () => ({ events: [] }),
  project: () => [],
  queries: [],
  roles: { writer: ['notes:write'], editor: ['notes:write', 'notes:edit'] },
}

const person = (id: string, organisation: string, ...scopes: string[]): Caller => ({
  id,
  organisation,
  scopes: new Set(scopes),
})
const known: { [name: string]: Caller } = {
  anonymous: { id: 'anonymous', scopes: new Set() },
  ada: person('ada', 'acme', 'notes:write', 'notes:edit', 'other:read'),
  bob: person('bob', 'acme', 'notes:write'),
  eve: person('eve', 'globex', 'notes:write'),
  rita: person('rita', 'acme', 'notes:read'),
}

function publishing() {
  const records: NewRecord[] = []
  const publish = publisher({
    ...quiet(),
    domains: [domain],
    callerOf: async ({ authorization = 'anonymous' }) => known[authorization] as Caller,
    log: {
      async append(_, record) {
        records.push(record)
        return { partition: 0, offset: 0 }
      },
    },
    addresses: addresses('a secret of thirty-two characters'),
    seals: SEALS,
    waiting: { wait: async () => ({ status: 'applied' }) },
    clock: systemClock,
  })
  const as = (authorization: string | undefined, body: string, headers = {}, path = '/api/notes') =>
    publish({
      method: 'POST',
      path,
      query: new URLSearchParams(),
      headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}), ...headers },
      body: Buffer.from(body),
      route: '',
      trace: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, traceId: 'a'.repeat(32) },
      signal: new AbortController().signal,
      closing: new AbortController().signal,
    } satisfies Request)
  return { records, as }
}

const note = JSON.stringify({ text: 'It turns' })

test('a caller without permission is refused before the body is read', async () => {
  const { as, records } = publishing()
  for (const body of [note, 'not even JSON']) {
    await expect(as(undefined, body)).rejects.toMatchObject({ status: 401 })
    await expect(as('rita', body)).rejects.toMatchObject({ status: 403 })
  }
  await expect(as('ada', 'not even JSON')).rejects.toMatchObject({ status: 400 })
  expect(records).toEqual([])
})

test('the event has the actor and those of its scopes that concern the domain', async () => {
  const { as, records } = publishing()
  await as('ada', note)
  await as('bob', note)
  expect(records.map(({ headers }) => [headers?.ce_actor, headers?.ce_scopes])).toEqual([
    ['ada', 'notes:write,notes:edit'],
    ['bob', 'notes:write'],
  ])
})

test('a command for another organisation is refused', async () => {
  const { as } = publishing()
  await expect(as('eve', note)).rejects.toMatchObject({ status: 403 })
  expect(await as('eve', JSON.stringify({ text: 'It turns', of: 'globex' }))).toMatchObject({ status: 202 })
})

test('lines of a batch are refused one by one', async () => {
  const { as, records } = publishing()
  const lines = [{ text: 'a' }, { text: 'b', of: 'globex' }, { text: 'c' }].map((line) => JSON.stringify(line))
  const { status, body } = await as('bob', lines.join('\n'), { 'content-type': 'application/x-ndjson' })
  expect(status).toBe(207)
  const answers = String(body).trim().split('\n')
  expect(answers.map((line) => JSON.parse(line).status)).toEqual([202, 403, 202])
  expect(records).toHaveLength(2)
})

test('a CloudEvent is refused for the same reasons as a request', async () => {
  const { as } = publishing()
  const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/test', 'ce-type': 'notes.write' }
  await expect(as(undefined, '{}', headers, '/')).rejects.toMatchObject({ status: 401 })
  await expect(as('rita', '{}', headers, '/')).rejects.toMatchObject({ status: 403 })
  await expect(as('eve', note, headers, '/')).rejects.toMatchObject({ status: 403 })
  expect(await as('ada', note, headers, '/')).toMatchObject({ status: 202 })
})

test('the same key of two callers stands for two commands', async () => {
  const { as, records } = publishing()
  const key = { 'idempotency-key': 'mine' }
  await as('ada', note, key)
  await as('bob', note, key)
  await as('ada', note, key)
  const ids = records.map(({ headers }) => headers?.ce_id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toHaveLength(2)
})
