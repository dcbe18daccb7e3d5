import { expect, test } from 'vitest'
import { z } from 'zod'
import { HORIZON_MS } from '#core/collections.ts'
import type { NewRecord } from '#core/log.ts'
import { Problem } from '#core/problem.ts'
import { addresses } from '#core/receipts.ts'
import type { Request } from '#core/request.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { AppendDomain } from '#domains/domain.ts'
import { anybody } from '#test/auth/anybody.ts'
import { manualClock } from '#test/clock.ts'
import { quiet } from '#test/telemetry.ts'
import { SEALS } from '#test/trust.ts'
import { publisher } from './publisher.ts'

/** Lines may have their own keys, and lines of an import have ids. */
const domain: AppendDomain = {
  kind: 'append',
  name: 'lines',
  topic: { name: 'lines', partitions: 1 },
  commands: {
    'lines.write': {
      data: z.strictObject({ text: z.string(), requestId: z.string().exactOptional() }),
      stream: () => 'lines',
      key: ({ requestId }) => (requestId === undefined ? undefined : String(requestId)),
      routes: [{ method: 'POST', path: '/api/lines', body: 'batch' }],
    },
    'lines.import': {
      data: z.strictObject({ id: z.string(), text: z.string() }),
      id: ({ id }) => String(id),
      scope: 'lines:import',
      stream: () => 'lines',
      routes: [{ method: 'POST', path: '/api/lines/import', body: 'batch' }],
    },
  },
  documents: { collection: { name: 'lines', indexes: {} }, document: ({ data }) => data },
  queries: [],
}

function publishing() {
  const clock = manualClock()
  const records: NewRecord[] = []
  const away = new Set<string>()
  const publish = publisher({
    ...quiet(),
    domains: [domain],
    callerOf: anybody,
    log: {
      async append(_, record) {
        if (away.has(JSON.parse(String(record.value)).text)) throw new Unavailable('log', '?', { mayBeWritten: true })
        records.push(record)
        return { partition: 0, offset: 0 }
      },
    },
    addresses: addresses('a secret of thirty-two characters'),
    seals: SEALS,
    waiting: { wait: async () => ({ status: 'applied' }) },
    clock,
  })
  const ids = () => records.map(({ headers }) => headers?.ce_id)
  async function ask(body: unknown, headers: Record<string, string> = {}, path = '/api/lines') {
    const request: Request = {
      method: 'POST',
      path,
      query: new URLSearchParams(),
      headers: { 'content-type': 'application/json', ...headers },
      body: Buffer.from(JSON.stringify(body)),
      route: '',
      trace: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, traceId: 'a'.repeat(32) },
      signal: new AbortController().signal,
      closing: new AbortController().signal,
    }
    const { status, body: answer } = await publish(request)
    return { status, answer: JSON.parse(String(answer)) }
  }
  const address = async () => (await ask({ text: 'first' })).answer.receipt.replace('/api/receipts/', '')
  return { clock, away, records, ids, ask, address }
}

const three = [{ text: 'x' }, { text: 'y' }, { text: 'z' }]

test('a batch with a receipt address as its key is refused before a line is accepted', async () => {
  const { ask, address, records } = publishing()
  const key = await address()
  const problem = await ask(three, { 'idempotency-key': key }).catch((error) => error)
  expect(problem).toBeInstanceOf(Problem)
  expect([problem.status, problem.message]).toEqual([400, expect.stringContaining('one command')])
  expect(records).toHaveLength(1)
})

const event = (data: object) => ({ specversion: '1.0', id: '1', source: '/s', type: 'lines.write', data })

test.each([
  ['a command', { text: 'x' }, '/api/lines'],
  ['a command with a key in its body', { text: 'x', requestId: 'mine' }, '/api/lines'],
  ['a batch', three, '/api/lines'],
  ['a batch with keys in its lines', [{ text: 'x', requestId: 'mine' }], '/api/lines'],
  ['a CloudEvent', event({ text: 'x' }), '/'],
])('an Idempotency-Key that is not ASCII is refused with %s', async (_, body, path) => {
  const { ask, records } = publishing()
  const type = path === '/' ? { 'content-type': 'application/cloudevents+json' } : {}
  for (const key of ['sch\u00f6n', Buffer.from('schön').toString('latin1'), '', 'a\tb']) {
    const problem = await ask(body, { ...type, 'idempotency-key': key }, path).catch((error) => error)
    expect([problem.status, problem.title]).toEqual([400, 'Bad Idempotency-Key'])
  }
  expect(records).toEqual([])
})

test('a key that only looks like a receipt address is an ordinary key, for a batch too', async () => {
  const { ask, ids } = publishing()
  await ask(three, { 'idempotency-key': 'lines.id.hash.time.mac' })
  expect(new Set(ids()).size).toBe(3)
})

test('an invalid key is refused once and not for each line', async () => {
  await expect(publishing().ask(three, { 'idempotency-key': 'ü' })).rejects.toMatchObject({ status: 400 })
})

test('given a line that the log may have, then its result has the key to repeat that line with', async () => {
  const { ask, away, ids } = publishing()
  away.add('y')
  const { answer } = await ask(three, { 'idempotency-key': 'mine' })
  expect(answer[1]).toMatchObject({ status: 503, unknown: true })
  away.clear()
  const alone = await ask({ text: 'y' }, { 'idempotency-key': answer[1].idempotencyKey })
  expect(alone.answer.id).toBe(answer[1].id)
  await ask(three, { 'idempotency-key': 'mine' })
  expect(ids().filter((id) => id === answer[1].id)).toHaveLength(2)
})

test('the key in a body means the same alone, in any line, and beside a key of the request', async () => {
  const { ask, ids } = publishing()
  const own = { text: 'x', requestId: 'r' }
  await ask(own)
  await ask([{ text: 'y' }, own])
  await ask([own, { text: 'y' }], { 'idempotency-key': 'mine' })
  expect(new Set([ids()[0], ids()[2], ids()[3]]).size).toBe(1)
  expect(new Set(ids()).size).toBe(3)
})

test('an expired receipt address is refused as a key with 410', async () => {
  const { ask, address, clock, records } = publishing()
  const key = await address()
  await clock.advance(HORIZON_MS)
  expect((await ask({ text: 'first' }, { 'idempotency-key': key })).status).toBe(202)
  await clock.advance(1)
  await expect(ask({ text: 'first' }, { 'idempotency-key': key })).rejects.toMatchObject({ status: 410 })
  await expect(ask(three, { 'idempotency-key': key })).rejects.toMatchObject({ status: 410 })
  expect(records).toHaveLength(2)
})

test('the source and id of a CloudEvent are never confused with each other or with an Idempotency-Key', async () => {
  const { ask, ids } = publishing()
  const event = (source: string, id: string) =>
    ask({ text: 'x' }, { 'ce-specversion': '1.0', 'ce-type': 'lines.write', 'ce-source': source, 'ce-id': id }, '/')
  await event('a b', 'c')
  await event('a', 'b c')
  for (const key of ['a b c', '["a b","c"]', 'a b,c']) await ask({ text: 'x' }, { 'idempotency-key': key })
  expect(new Set(ids()).size).toBe(5)
  await ask({ text: 'x', requestId: 'r' })
  const { answer } = await event('a b', 'c')
  expect(answer.id).toBe(ids()[0])
})

test('a chosen id is the command id, alone and in any line, whatever the key of the request', async () => {
  const { ask, ids } = publishing()
  const own = { text: 'x', id: '507f1f77bcf86cd799439011' }
  await ask(own, { 'idempotency-key': 'mine' }, '/api/lines/import')
  await ask([{ text: 'y', id: 'another' }, own], {}, '/api/lines/import')
  expect(ids()).toEqual([own.id, 'another', own.id])
})

test('a chosen id that is a UUID is refused, because another command may have it', async () => {
  const { ask, ids, records } = publishing()
  await ask({ text: 'x' })
  await expect(ask({ text: 'y', id: ids()[0] }, {}, '/api/lines/import')).rejects.toThrow('which is a UUID')
  expect(records).toHaveLength(1)
})
