import { expect, test } from 'vitest'
import { z } from 'zod'
import { HOUR_MS } from '#core/clock.ts'
import type { NewRecord } from '#core/log.ts'
import { Problem } from '#core/problem.ts'
import { addresses } from '#core/receipts.ts'
import type { Request } from '#core/request.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { DecideDomain } from '#domains/domain.ts'
import { manualClock } from '#test/clock.ts'
import { quiet } from '#test/telemetry.ts'
import { SEALS } from '#test/trust.ts'
import { keyUses } from './key-uses.ts'
import { publisher } from './publisher.ts'

const domain: DecideDomain = {
  kind: 'decide',
  ordering: 'unordered',
  name: 'lines',
  topic: { name: 'lines', partitions: 1 },
  commands: {
    'lines.write': {
      data: z.strictObject({ text: z.string(), requestId: z.string().exactOptional() }),
      stream: () => 'lines',
      key: ({ requestId }) => (requestId === undefined ? undefined : String(requestId)),
      routes: [{ method: 'POST', path: '/api/lines', body: 'batch' }],
    },
  },
  collections: [],
  touches: () => [],
  decide: () => ({ events: [] }),
  project: () => [],
  queries: [],
}

const K = { 'idempotency-key': 'k' }

/** An instance of publish. Its log keeps the records, or fails with `away`. */
function publishing() {
  const clock = manualClock()
  const records: NewRecord[] = []
  let away: Unavailable | Promise<void> | undefined
  const publish = publisher({
    ...quiet(),
    domains: [domain],
    callerOf: async ({ authorization: id = 'anonymous' }) => ({ id, scopes: new Set() }),
    log: {
      async append(_, record) {
        if (away instanceof Unavailable) throw away
        await away
        records.push(record)
        return { partition: 0, offset: 0 }
      },
    },
    addresses: addresses('a secret of thirty-two characters'),
    seals: SEALS,
    waiting: { wait: async () => ({ status: 'applied' }) },
    clock,
  })
  function as(id: string | undefined, from: string | undefined = undefined) {
    return async function ask(body: unknown, headers: Record<string, string> = {}, path = '/api/lines') {
      const request: Request = {
        method: 'POST',
        path,
        query: new URLSearchParams(),
        headers: { 'content-type': 'application/json', ...(id ? { authorization: id } : {}), ...headers },
        body: Buffer.from(JSON.stringify(body)),
        route: '',
        trace: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, traceId: 'a'.repeat(32) },
        signal: new AbortController().signal,
        closing: new AbortController().signal,
        from,
      }
      try {
        const { status, body: answer } = await publish(request)
        return { status, answer: JSON.parse(String(answer)) }
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        return { status: error.status, answer: { detail: error.message, ...error.members } }
      }
    }
  }
  const fail = (how: Unavailable | Promise<void> | undefined) => {
    away = how
  }
  const texts = () => records.map(({ value }) => JSON.parse(String(value)).text)
  const ids = () => records.map(({ headers }) => headers?.ce_id)
  return { clock, as, fail, texts, ids }
}

const unknown = () => new Unavailable('log', 'no answer', { mayBeWritten: true })

test('a reused key with another body is 409 at once, and names the first command', async () => {
  const { as, texts } = publishing()
  const ask = as('ada')
  const { answer: first } = await ask({ text: 'a' }, K)
  expect(await ask({ text: 'b' }, K)).toEqual({
    status: 409,
    answer: {
      detail: expect.stringContaining('used before'),
      outcome: 'rejected',
      reusedKey: true,
      first: { id: first.id, receipt: first.receipt },
    },
  })
  expect((await ask({ text: 'a' }, K)).answer.id).toBe(first.id)
  expect(texts()).toEqual(['a'])
})

test.each([
  ['in the body', (ask: Ask, text: string) => ask({ text, requestId: 'r' })],
  [
    "as a CloudEvent's source and id",
    (ask: Ask, text: string) =>
      ask({ text }, { 'ce-specversion': '1.0', 'ce-type': 'lines.write', 'ce-source': 's', 'ce-id': 'i' }, '/'),
  ],
])('a reused key is 409 for a key %s', async (_, send) => {
  const { as, texts } = publishing()
  expect((await send(as('ada'), 'a')).status).toBe(202)
  expect((await send(as('ada'), 'b')).status).toBe(409)
  expect((await send(as('bob'), 'b')).status).toBe(202)
  expect(texts()).toEqual(['a', 'b'])
})

type Ask = ReturnType<ReturnType<typeof publishing>['as']>

test('the same body with another If-Match is another command', async () => {
  const { as, texts } = publishing()
  const ask = as('ada')
  await ask({ text: 'a' }, { ...K, 'if-match': '"1"' })
  expect((await ask({ text: 'a' }, { ...K, 'if-match': '"2"' })).status).toBe(409)
  expect((await ask({ text: 'a' }, K)).status).toBe(409)
  expect((await ask({ text: 'a' }, { ...K, 'if-match': '"1"' })).status).toBe(202)
  expect(texts()).toEqual(['a'])
})

test('given lines under one key, then each line is refused by itself', async () => {
  const { as, texts } = publishing()
  const ask = as('ada')
  const own = (text: string) => ({ text, requestId: 'r' })
  const { answer } = await ask([own('a'), own('b'), { text: 'c' }], K)
  expect(answer.map(({ status }: { status: number }) => status)).toEqual([202, 409, 202])
  expect(answer[1]).toMatchObject({ line: 2, reusedKey: true, first: { id: answer[0].id } })
  const again = await ask([own('a'), { text: 'x' }, { text: 'd' }], K)
  expect(again.answer.map(({ status }: { status: number }) => status)).toEqual([202, 202, 409])
  expect((await ask(own('b'))).status).toBe(409)
  expect(texts()).toEqual(['a', 'c', 'a', 'x'])
})

test('given that the first command is not yet appended, then another body is 409', async () => {
  const { as, fail, texts } = publishing()
  const { promise, resolve } = Promise.withResolvers<void>()
  fail(promise)
  const first = as('ada')({ text: 'a' }, K)
  expect((await as('ada')({ text: 'b' }, K)).status).toBe(409)
  resolve()
  expect((await first).status).toBe(202)
  expect(texts()).toEqual(['a'])
})

test('given that the first command was certainly not appended, then its key is free', async () => {
  const { as, fail, texts } = publishing()
  fail(new Unavailable('log', 'away'))
  expect((await as('ada')({ text: 'a' }, K)).status).toBe(503)
  fail(undefined)
  expect((await as('ada')({ text: 'b' }, K)).status).toBe(202)
  expect((await as('ada')({ text: 'a' }, K)).status).toBe(409)
  expect(texts()).toEqual(['b'])
})

test('given that the log may have the first command, then its key stays taken, even if a repeat was not appended', async () => {
  const { as, fail, texts } = publishing()
  fail(unknown())
  expect((await as('ada')({ text: 'a' }, K)).answer).toMatchObject({ unknown: true })
  fail(new Unavailable('log', 'away'))
  expect((await as('ada')({ text: 'a' }, K)).answer).toMatchObject({ unknown: false })
  fail(undefined)
  expect((await as('ada')({ text: 'b' }, K)).status).toBe(409)
  expect((await as('ada')({ text: 'a' }, K)).status).toBe(202)
  expect(texts()).toEqual(['a'])
})

test('a receipt address with another body is 409 on every instance', async () => {
  const { answer } = await publishing().as('ada')({ text: 'a' })
  const address = { 'idempotency-key': answer.receipt.replace('/api/receipts/', '') }
  const { as, ids } = publishing()
  expect(await as('ada')({ text: 'b' }, address)).toMatchObject({
    status: 409,
    answer: { first: { id: answer.id, receipt: answer.receipt } },
  })
  expect((await as('ada')({ text: 'a' }, address)).answer.id).toBe(answer.id)
  expect(ids()).toEqual([answer.id])
})

test('a key is remembered for an hour', async () => {
  const { clock, as } = publishing()
  const ask = as('ada')
  await ask({ text: 'a' }, K)
  await clock.advance(HOUR_MS - 1)
  expect((await ask({ text: 'b' }, K)).status).toBe(409)
  await clock.advance(1)
  expect((await ask({ text: 'b' }, K)).status).toBe(202)
})

test('the last 20,000 keys are remembered', () => {
  const uses = keyUses(manualClock())
  const address = (id: string) => ({ domain: 'lines', id, hash: 'hash', time: 0 })
  const isFree = (key: string, id: string) => 'end' in uses.begin(key, address(id))
  for (let name = 0; name < 20_000; name++) expect(isFree(`${name}`, 'first')).toBe(true)
  expect(isFree('0', 'second')).toBe(false)
  expect(isFree('20000', 'first')).toBe(true)
  expect([isFree('1', 'second'), isFree('0', 'second')]).toEqual([false, true])
})

test('anonymous callers with the same key and body share a command, and with other bodies they do not', async () => {
  const { as, ids } = publishing()
  const [one, other] = [as(undefined, '192.0.2.1'), as(undefined, '192.0.2.2')]
  const send = (ask: Ask, text: string) => ask({ text, requestId: '1' })
  const { answer } = await send(one, 'a')
  expect((await send(other, 'a')).answer.id).toBe(answer.id)
  expect((await send(publishing().as(undefined, '192.0.2.3'), 'a')).answer.id).toBe(answer.id)
  expect((await send(as(undefined, '192.0.2.4'), 'b')).status).toBe(202)
  expect((await send(publishing().as(undefined), 'c')).answer.id).not.toBe(answer.id)
  expect(new Set(ids()).size).toBe(2)
  expect((await send(as('ada'), 'a')).answer.id).not.toBe(answer.id)
})

test('an anonymous key that is reused from the same address with another body is 409 at once', async () => {
  const { as, texts } = publishing()
  const ask = as(undefined, '192.0.2.1')
  const { answer } = await ask({ text: 'a' }, K)
  expect(answer.id).toBeTypeOf('string')
  const reused = await ask({ text: 'b' }, K)
  expect(reused).toMatchObject({ status: 409, answer: { reusedKey: true } })
  // The first command may be somebody else's.
  expect(JSON.stringify(reused)).not.toContain(String(answer.id))
  expect((await as(undefined)({ text: 'b' }, K)).status).toBe(202)
  expect((await as(undefined)({ text: 'c' }, K)).status).toBe(202)
  expect(texts()).toEqual(['a', 'b', 'c'])
})

test('an anonymous If-Match can not make the command of another caller stale', async () => {
  const { as, ids } = publishing()
  await as(undefined, '192.0.2.1')({ text: 'a' }, { ...K, 'if-match': '"7"' })
  await as(undefined, '192.0.2.2')({ text: 'a' }, K)
  expect(new Set(ids()).size).toBe(2)
})
