import { describe, expect, test } from 'vitest'
import { systemClock } from '#core/clock.ts'
import type { Log, NewRecord } from '#core/log.ts'
import { Problem } from '#core/problem.ts'
import { addresses, type Receipt } from '#core/receipts.ts'
import type { Request } from '#core/request.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Waiting } from '#core/waiting.ts'
import { findDomains } from '#main/find-domains.ts'
import { anybody } from '#test/auth/anybody.ts'
import { quiet } from '#test/telemetry.ts'
import { SEALS } from '#test/trust.ts'
import { attribute } from './accepted-command.ts'
import { publisher } from './publisher.ts'

const domains = await findDomains()

interface Given {
  append?: Log['append']
  wait?: Waiting['wait']
}

function publishing({ append = async () => ({ partition: 0, offset: 0 }), wait }: Given = {}) {
  const records: NewRecord[] = []
  const publish = publisher({
    ...quiet(),
    domains,
    callerOf: anybody,
    log: {
      append(topic, record) {
        records.push(record)
        return append(topic, record)
      },
    },
    addresses: addresses('a secret of thirty-two characters'),
    seals: SEALS,
    waiting: { wait: wait ?? (async (): Promise<Receipt> => ({ status: 'pending' })) },
    clock: systemClock,
  })
  return { records, publish }
}

const request = (body: string | Buffer, headers: Record<string, string> = {}, path = '/api/tutorials'): Request => ({
  method: 'POST',
  path,
  query: new URLSearchParams(),
  headers: { 'content-type': 'application/json', ...headers },
  body: Buffer.from(body as string),
  route: '',
  trace: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, traceId: 'a'.repeat(32) },
  signal: new AbortController().signal,
  closing: new AbortController().signal,
})

const title = (title: string) => JSON.stringify({ title })

async function problemOf(answer: Promise<unknown>): Promise<Problem> {
  const error = await answer.then(
    () => undefined,
    (error) => error,
  )
  expect(error).toBeInstanceOf(Problem)
  return error
}

test('the record is a CloudEvent in binary mode with every attribute, keyed by its stream', async () => {
  const { publish, records } = publishing()
  const { body } = await publish(request(title('Grüße'), { 'ce-id': 'mine', 'ce-subject': 'theirs' }))
  const { id } = JSON.parse(String(body))
  expect(records).toEqual([
    {
      key: `tutorial/${id}`,
      value: 'Grüße',
      headers: {
        'content-type': 'text/vnd.millrace.title; charset=utf-8',
        ce_specversion: '1.0',
        ce_id: id,
        ce_source: '/millrace/publish#tutorials-topic',
        ce_type: 'tutorials.publish',
        ce_subject: `tutorial/${id}`,
        ce_partitionkey: `tutorial/${id}`,
        ce_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        ce_bodyhash: expect.stringMatching(/^[\w-]{22}$/),
        ce_actor: 'anonymous',
        ce_traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
        ce_seal: expect.any(String),
      },
    },
  ])
  expect(SEALS.open(String(records[0]?.headers?.ce_seal))).toEqual({
    ok: true,
    vouched: {
      topic: 'tutorials-topic',
      id,
      type: 'tutorials.publish',
      time: Date.parse(String(records[0]?.headers?.ce_time)),
      stream: `tutorial/${id}`,
      actor: 'anonymous',
      body: records[0]?.headers?.ce_bodyhash,
    },
  })
})

test('given no log, then the response is 503 with Retry-After and reports that nothing was done', async () => {
  const { publish } = publishing({ append: () => Promise.reject(new Unavailable('log', 'gone')) })
  const problem = await problemOf(publish(request(title('a'))))
  expect(problem.status).toBe(503)
  expect(problem.headers['retry-after']).toBe('1')
  expect(problem.members).toMatchObject({ unknown: false })
})

test('given a log that may have the command, then the 503 has a key that stands for the same id', async () => {
  let isAway = true
  const append = async () => {
    if (isAway) throw new Unavailable('log', 'no answer', { mayBeWritten: true })
    return { partition: 0, offset: 0 }
  }
  const { publish } = publishing({ append })
  const { members } = await problemOf(publish(request(title('a'))))
  expect(members).toMatchObject({ unknown: true, id: expect.any(String) })
  isAway = false
  const { body } = await publish(request(title('a'), { 'idempotency-key': String(members.idempotencyKey) }))
  expect(JSON.parse(String(body)).id).toBe(members.id)
})

test("given the caller's own key, then the ambiguous 503 has that key", async () => {
  const { publish } = publishing({ append: () => Promise.reject(new Unavailable('log', '?', { mayBeWritten: true })) })
  const { members } = await problemOf(publish(request(title('a'), { 'idempotency-key': 'mine' })))
  expect(members.idempotencyKey).toBe('mine')
})

test('a command that is repeated with its key is one record, and gets the receipt of the first', async () => {
  const { publish, records } = publishing()
  const repeat = () => publish(request(title('a'), { 'idempotency-key': 'mine' }))
  const answers = [await repeat(), ...(await Promise.all([repeat(), repeat()]))]
  expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
  expect(records).toHaveLength(1)
})

test('another body, another expected version, and a command without a key are appended', async () => {
  const { publish, records } = publishing()
  const sum = JSON.stringify({ requestId: 'mine', firstNumber: 1, secondNumber: 2 })
  const add = (body: string, headers = {}) => publish(request(body, headers, '/api/sums'))
  await add(sum)
  await add(sum.replace('2', '3'))
  await add(sum, { 'if-match': '"0"' })
  await publish(request(title('a')))
  await publish(request(title('a')))
  expect(records).toHaveLength(5)
})

test('a command that failed to be appended is appended when it is repeated', async () => {
  let isAway = true
  const append = async () => {
    if (isAway) throw new Unavailable('log', 'gone')
    return { partition: 0, offset: 0 }
  }
  const { publish, records } = publishing({ append })
  const repeat = () => publish(request(title('a'), { 'idempotency-key': 'mine' }))
  await problemOf(repeat())
  isAway = false
  expect((await repeat()).status).toBe(202)
  expect(records).toHaveLength(2)
})

test('a key that looks like a receipt address but was never issued is an ordinary key', async () => {
  const { publish } = publishing()
  const answer = await publish(request(title('a'), { 'idempotency-key': 'tutorials.id.hash.time.mac' }))
  expect(JSON.parse(String(answer.body)).id).not.toBe('id')
})

test('given no store, then a command that prefers to wait gets 202', async () => {
  const { publish } = publishing({ wait: () => Promise.reject(new Unavailable('store', 'gone')) })
  expect((await publish(request(title('a'), { prefer: 'wait=1' }))).status).toBe(202)
})

test('a complete surrogate pair is kept, escaped or not', async () => {
  const { publish, records } = publishing()
  await publish(request('{"title":"\\ud83c\\udf3e 🌾"}'))
  expect(records[0]?.value).toBe('🌾 🌾')
})

test('a command to a path that has only reads is 405', async () => {
  const { publish } = publishing()
  for (const path of ['/api/test', '/api/letters', '/api/receipts/x']) {
    const problem = await problemOf(publish(request('{}', {}, path)))
    expect([problem.status, problem.headers.allow]).toEqual([405, 'GET, HEAD'])
  }
})

test('the query string and the body make one command, and must not contradict each other', async () => {
  const { publish, records } = publishing()
  const both = { threadId: 't', accountId: 'eve' }
  const ban = (query: object, body: string, headers = {}) => ({
    ...request(body, { 'idempotency-key': 'mine', ...headers }, '/api/forum/bans'),
    query: new URLSearchParams({ ...query }),
  })
  await publish(ban({}, JSON.stringify(both)))
  await publish(ban(both, ''))
  await publish(ban({ threadId: 't' }, JSON.stringify(both)))
  const another = ban({ threadId: 't' }, JSON.stringify({ ...both, threadId: 'another' }))
  const twice = { ...ban(both, ''), query: new URLSearchParams('threadId=t&threadId=u&accountId=eve') }
  for (const wrong of [another, twice]) expect((await problemOf(publish(wrong))).status).toBe(400)
  expect(records.map(({ key, value }) => [key, JSON.parse(String(value))])).toEqual([['thread/t', both]])
  expect((await problemOf(publish(ban({ threadId: 't' }, '')))).status).toBe(422)
  expect((await problemOf(publish(ban({ ...both, more: '1' }, '')))).status).toBe(422)
  expect((await problemOf(publish(ban(both, '{}', { 'content-type': 'text/csv' })))).status).toBe(415)
  const ignored = { ...request('', {}, '/api/tutorials'), query: new URLSearchParams({ title: 'It turns' }) }
  expect((await problemOf(publish(ignored))).status).toBe(400)
})

test.each([
  ['wait=3', 3000],
  ['respond-async, wait=3', 3000],
  ['wait=600', 20_000],
])('Prefer: %s waits %d ms', async (prefer, ms) => {
  const waits: number[] = []
  const { publish } = publishing({
    async wait(_, ms) {
      waits.push(ms)
      return { status: 'pending' }
    },
  })
  expect((await publish(request(title('a'), { prefer }))).status).toBe(202)
  expect(waits).toEqual([ms])
})

test('a rejection or a parked command is 409 with the reason', async () => {
  for (const status of ['rejected', 'parked'] as const) {
    const { publish } = publishing({ wait: async () => ({ status, reason: 'because' }) })
    const problem = await problemOf(publish(request(title('a'), { prefer: 'wait=1' })))
    expect([problem.status, problem.message, problem.members.outcome]).toEqual([409, 'because', status])
  }
})

test.each([
  ['not JSON', '{', {}, 400],
  ['half a surrogate pair', '{"title":"\\ud83c "}', {}, 400],
  ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, 400],
  ['another type', 'a,b', { 'content-type': 'text/csv' }, 415],
  ['no title', '{}', {}, 422],
  ['a title of white space', title(' \n '), {}, 422],
  ['a title that is too long', title('x'.repeat(10_001)), {}, 422],
  ['a command of more than 256 KiB', title('x'.repeat(256 * 1024)), {}, 413],
])('%s is refused and nothing is appended', async (_, body, headers, status) => {
  const { publish, records } = publishing()
  expect((await problemOf(publish(request(body, headers)))).status).toBe(status)
  expect(records).toEqual([])
})

test('an attribute is printable ASCII, the rest percent-encoded, at most 256 bytes', () => {
  expect(attribute('tutorial/42')).toBe('tutorial/42')
  expect(attribute('a b\n"ü"%')).toBe('a%20b%0A%22%C3%BC%22%25')
  expect(() => attribute('ü'.repeat(43))).toThrow('at most 256 bytes')
})

describe('a CloudEvent of a client', () => {
  const event = (more = {}) => ({
    specversion: '1.0',
    id: 'order-7',
    source: '/shop',
    type: 'tutorials.publish',
    data: { title: 'a' },
    ...more,
  })
  const nested = (times: number): unknown => JSON.parse('['.repeat(times) + ']'.repeat(times))
  const structured = (event: unknown) =>
    request(JSON.stringify(event), { 'content-type': 'application/cloudevents+json' }, '/')
  const binary = (headers = {}) =>
    request(
      title('a'),
      { 'ce-specversion': '1.0', 'ce-id': 'order-7', 'ce-source': '/shop', 'ce-type': 'tutorials.publish', ...headers },
      '/',
    )

  test('is accepted in both modes with its type, data and trace, and publish sets the other attributes', async () => {
    const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`
    const more = {
      traceparent,
      subject: 'theirs',
      partitionkey: 'theirs',
      actor: 'somebody',
      scopes: 'forum:administrate',
      seal: 'theirs',
      time: '1999-01-01T00:00:00Z',
    }
    for (const asked of [
      structured(event(more)),
      binary({ 'ce-traceparent': traceparent, 'ce-actor': 'somebody', 'ce-seal': 'theirs' }),
    ]) {
      const { publish, records } = publishing()
      const { status, headers } = await publish(asked)
      expect([status, headers?.location]).toEqual([202, expect.stringContaining('/api/receipts/')])
      const sealed = records.pop()
      expect(sealed).toMatchObject({
        value: 'a',
        headers: {
          ce_type: 'tutorials.publish',
          ce_source: '/millrace/publish#tutorials-topic',
          ce_traceparent: traceparent,
        },
      })
      expect(sealed?.headers?.ce_actor).toBe('anonymous')
      expect(sealed?.headers).not.toHaveProperty('ce_scopes')
      expect(SEALS.open(String(sealed?.headers?.ce_seal))).toMatchObject({ ok: true, vouched: { actor: 'anonymous' } })
      expect(sealed?.headers?.ce_subject).toBe(`tutorial/${sealed?.headers?.ce_id}`)
      expect(sealed?.headers?.ce_time).not.toContain('1999')
    }
  })

  test('is one command however often it arrives, and another one from another source', async () => {
    const { publish } = publishing()
    const idOf = async (asked: Request) => JSON.parse(String((await publish(asked)).body)).id
    const first = await idOf(structured(event()))
    expect(await idOf(binary())).toBe(first)
    expect(await idOf(structured(event({ source: '/other' })))).not.toBe(first)
    expect(await idOf(structured(event({ id: 'order-8' })))).not.toBe(first)
  })

  test.each([
    ['no event', { title: 'a' }, 400, 'not a CloudEvent'],
    ['no id', { ...event(), id: undefined }, 400, 'no id'],
    ['a type that nobody knows', event({ type: 'who.knows' }), 422, 'who.knows'],
    ['data that fail their schema', event({ data: { title: '' } }), 422, 'title'],
    ['no data', event({ data: undefined }), 422, ''],
    ['half a surrogate pair', event({ data: { title: '\ud800' } }), 400, 'surrogate'],
    ['data nested deeper than a command may be', event({ data: { title: nested(100) } }), 400, '100 nested levels'],
    ['data nested too deep to be looked at', event({ data: { title: nested(2000) } }), 400, 'nested'],
  ])('is refused with %s', async (_, given, status, detail) => {
    const problem = await problemOf(publishing().publish(structured(given)))
    expect(problem.status).toBe(status)
    expect(problem.message).toContain(detail)
  })
})
