import { expect, test } from 'vitest'
import { z } from 'zod'
import { systemClock } from '#core/clock.ts'
import type { Log, NewRecord } from '#core/log.ts'
import { Problem } from '#core/problem.ts'
import { addresses } from '#core/receipts.ts'
import type { Request } from '#core/request.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { AppendDomain } from '#domains/domain.ts'
import { anybody } from '#test/auth/anybody.ts'
import { quiet } from '#test/telemetry.ts'
import { SEALS } from '#test/trust.ts'
import { publisher } from './publisher.ts'

const domain: AppendDomain = {
  kind: 'append',
  name: 'lines',
  topic: { name: 'lines', partitions: 1 },
  commands: {
    'lines.write': {
      data: z.strictObject({ text: z.string().min(1), shelf: z.string() }),
      stream: ({ shelf }) => `shelf/${shelf}`,
      routes: [
        { method: 'POST', path: '/api/shelves/{shelf}/lines', body: 'batch' },
        { method: 'DELETE', path: '/api/shelves/{shelf}/{text}', body: 'none', created: '/api/shelves/{shelf}/{id}' },
      ],
    },
  },
  documents: { collection: { name: 'lines', indexes: {} }, document: ({ data }) => data },
  queries: [],
}

function publishing(append: Log['append'] = async () => ({ partition: 0, offset: 0 })) {
  const records: NewRecord[] = []
  const publish = publisher({
    ...quiet(),
    domains: [domain],
    callerOf: anybody,
    log: {
      append(topic, record) {
        records.push(record)
        return append(topic, record)
      },
    },
    addresses: addresses('a secret of thirty-two characters'),
    seals: SEALS,
    waiting: { wait: async () => ({ status: 'applied' }) },
    clock: systemClock,
  })
  const texts = () => records.map(({ value }) => JSON.parse(String(value)).text)
  return { records, texts, publish }
}

const request = (body: string, type: string, headers: Record<string, string> = {}): Request => ({
  method: 'POST',
  path: '/api/shelves/a/lines',
  query: new URLSearchParams(),
  headers: { 'content-type': type, ...headers },
  body: Buffer.from(body),
  route: '',
  trace: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, traceId: 'a'.repeat(32) },
  signal: new AbortController().signal,
  closing: new AbortController().signal,
})

const ndjson = (body: string, headers = {}) => request(body, 'application/x-ndjson', headers)
const json = (body: unknown, headers = {}) => request(JSON.stringify(body), 'application/json', headers)
const line = (text: string) => JSON.stringify({ text })
const answers = ({ body }: { body?: unknown }) =>
  String(body)
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text))

test('each line of NDJSON is accepted or refused by itself, and the results keep the order of the lines', async () => {
  const { publish, texts, records } = publishing()
  const body = [line('one'), '', line(''), 'not json', line('two'), '"text"'].join('\n')
  const response = await publish(ndjson(body))
  expect(response).toMatchObject({ status: 207, headers: { 'content-type': 'application/x-ndjson' } })
  expect(answers(response)).toMatchObject([
    { line: 1, status: 202, receipt: expect.stringContaining('/api/receipts/lines.') },
    { line: 3, status: 422, errors: [{ field: 'text' }] },
    { line: 4, status: 400, detail: expect.stringContaining('not valid JSON') },
    { line: 5, status: 202 },
    { line: 6, status: 422 },
  ])
  expect(texts()).toEqual(['one', 'two'])
  expect(records.map(({ key }) => key)).toEqual(['shelf/a', 'shelf/a'])
})

test('an array is a batch too, and an object is one command', async () => {
  const { publish, texts } = publishing()
  const all = await publish(json([{ text: 'one' }, { text: 'two' }]))
  expect(all.status).toBe(202)
  expect(JSON.parse(String(all.body))).toMatchObject([{ line: 1 }, { line: 2 }])
  const one = await publish(json({ text: 'three' }))
  expect(JSON.parse(String(one.body))).toMatchObject({ status: 'pending' })
  expect(texts()).toEqual(['one', 'two', 'three'])
})

test('a batch that is repeated with its key gives each line the same id, and no two lines share one', async () => {
  const { publish, records } = publishing()
  const batch = [line('one'), line('one'), line('two')].join('\n')
  for (let time = 0; time < 2; time++) await publish(ndjson(batch, { 'idempotency-key': 'k' }))
  const ids = records.map(({ headers }) => headers?.ce_id)
  expect(new Set(ids).size).toBe(3)
  expect(ids.slice(3)).toEqual(ids.slice(0, 3))
  await publish(json({ text: 'one' }, { 'idempotency-key': 'k' }))
  expect(ids).not.toContain(records.at(-1)?.headers?.ce_id)
})

test('10,000 lines are accepted in their order, and 10,001 are too many', async () => {
  const { publish, texts } = publishing()
  const lines = Array.from({ length: 10_000 }, (_, index) => `${index}`)
  expect((await publish(ndjson(lines.map(line).join('\n')))).status).toBe(202)
  expect(texts()).toEqual(lines)
  await expect(publish(ndjson([...lines, 'more'].map(line).join('\n')))).rejects.toMatchObject({ status: 413 })
  await expect(publish(ndjson('\n\n'))).rejects.toMatchObject({ status: 422 })
  await expect(publish(request('[]', 'text/plain'))).rejects.toMatchObject({ status: 415 })
})

test('given no log, then the batch is 503 and no line after the first window is tried', async () => {
  const { publish, records } = publishing(() => Promise.reject(new Unavailable('log', 'gone')))
  const lines = Array.from({ length: 2500 }, (_, index) => line(`${index}`)).join('\n')
  const problem = await publish(ndjson(lines)).catch((error) => error)
  expect(problem).toBeInstanceOf(Problem)
  expect(problem).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
  expect(problem.members.lines).toHaveLength(2500)
  expect(records).toHaveLength(1000)
})

test('given a log that becomes unavailable in the middle, then each line has its own result', async () => {
  let appended = 0
  const { publish } = publishing(async () => {
    if (++appended > 1) throw new Unavailable('log', 'gone', { mayBeWritten: true })
    return { partition: 0, offset: 0 }
  })
  const response = await publish(ndjson([line('one'), line('two')].join('\n')))
  expect(response.status).toBe(207)
  expect(answers(response)).toMatchObject([
    { line: 1, status: 202 },
    { line: 2, status: 503, unknown: true, idempotencyKey: expect.any(String) },
  ])
})

test('path parameters override the data, and a path with the whole command takes no body', async () => {
  const { publish, records, texts } = publishing()
  await publish(json({ text: 'one', shelf: 'b' }))
  expect(records[0]?.key).toBe('shelf/a')
  const named = { method: 'DELETE', path: '/api/shelves/a%20b/two' }
  const response = await publish({ ...request('', ''), ...named, headers: { prefer: 'wait=1' } })
  const { id } = JSON.parse(String(response.body))
  expect(response).toMatchObject({ status: 201, headers: { location: `/api/shelves/a%20b/${id}` } })
  expect(records[1]?.key).toBe('shelf/a b')
  expect(texts()).toEqual(['one', 'two'])
  await expect(publish({ ...json({ text: 'no' }), ...named })).rejects.toMatchObject({ status: 400 })
})

test('a line that is nested too deeply is refused, and the other lines are accepted', async () => {
  const { publish, texts } = publishing()
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  const response = await publish(ndjson([line('one'), `{"text":${deep}}`, line('two')].join('\n')))
  expect(answers(response)).toMatchObject([{ status: 202 }, { line: 2, status: 400 }, { status: 202 }])
  expect(texts()).toEqual(['one', 'two'])
  await expect(publish(request(`[${deep}]`, 'application/json'))).rejects.toMatchObject({ status: 400 })
})

test('a batch of millions of lines is refused before its lines are parsed', async () => {
  const { publish, records } = publishing()
  const zeros = `[${'0,'.repeat(1_000_000)}0]`
  for (const asked of [
    request(zeros, 'application/json'),
    ndjson('\n'.repeat(1_000_000)),
    ndjson('0\n'.repeat(20_000)),
  ]) {
    await expect(publish(asked)).rejects.toMatchObject({ status: 413 })
  }
  expect(records).toEqual([])
})

test('a stream name that is too long is 422', async () => {
  const { publish } = publishing()
  const path = `/api/shelves/${encodeURIComponent('日'.repeat(30))}/lines`
  await expect(publish({ ...json({ text: 'x' }), path })).rejects.toMatchObject({ status: 422 })
})
