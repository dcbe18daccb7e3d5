import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openFile } from '#adapters/embedded/file.ts'
import { type Host, startHost } from '#adapters/host/host.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import { changeRecord } from '#core/changes.ts'
import { systemClock } from '#core/clock.ts'
import { changes, collections } from '#core/collections.ts'
import { addresses } from '#core/receipts.ts'
import type { Store } from '#core/store.ts'
import { waiting } from '#core/waiting.ts'
import type { DecideDomain, Document } from '#domains/domain.ts'
import { publisher } from '#functions/publish/publisher.ts'
import { querier } from '#functions/query/querier.ts'
import { anybody } from './auth/anybody.ts'
import { authorFiles, keptLog } from './author.ts'
import { eventually } from './mill.ts'
import { quiet } from './telemetry.ts'
import { SEALS } from './trust.ts'

/** The log of publish and query names the place of a bug in a domain, and the response does not. */
const { load, placeOf } = authorFiles({
  'domains/orders/domain.ts': `
import { z } from 'zod'
const fail = (given: any) => given.secret.sum
const list = (more: object) => ({ answers: 'page', from: 'orders', index: 'time', shape: ({ _id }: any) => ({ id: _id }), ...more })
const route = (more: object) => ({ method: 'POST', body: 'json', ...more })
const command = (path: string, more: object, routed = {}) => ({
  data: z.object({}).loose(),
  stream: () => 'order/1',
  routes: [route({ path, ...routed })],
  ...more,
})
export default {
  kind: 'decide',
  name: 'orders',
  topic: { name: 'orders', partitions: 1 },
  ordering: 'ordered',
  commands: {
    'orders.stream': command('/in/stream', { stream: (data: any) => fail(data) }), // stream
    'orders.key': command('/in/key', { key: (data: any) => fail(data) }), // key
    'orders.data': command('/in/data', { data: z.object({}).transform((data: any) => fail(data)) }), // data
    'orders.read': command('/in/read', {}, { read: (body: any) => fail(body) }), // read
    'orders.answer': command('/in/answer', {}, { answer: (data: any) => fail(data) }), // answer
    'orders.line': command('/in/line', { stream: (data: any) => fail(data) }, { body: 'batch' }), // line
  },
  collections: [{ name: 'orders', indexes: { time: { fields: ['time'] } } }],
  touches: () => [],
  decide: () => ({ events: [] }),
  project: () => [],
  views: [
    {
      collection: { name: 'sales', indexes: {} },
      zero: {},
      isSlotted: true,
      keys: () => [''],
      fold: (total: any) => total,
    },
  ],
  queries: [
    list({ path: '/of/where', where: (params: any) => fail(params) }), // where
    list({ path: '/of/keep', keep: (order: any) => fail(order) }), // keep
    list({ path: '/of/shape', shape: (order: any) => fail(order) }), // shape
    list({ path: '/of/lines', shape: (order: any) => fail(order) }), // lines
    list({ path: '/of/params', params: z.object({ a: z.string().refine((a: any) => fail(a)) }) }), // params
    list({ path: '/of/join', join: (order: any) => fail(order) }), // join
    { answers: 'all', path: '/of/all', from: 'orders', index: 'time', shape: (order: any) => fail(order) }, // all
    { answers: 'one', path: '/of/one/{id}', from: 'orders', shape: (order: any) => fail(order) }, // one
    { answers: 'composed', path: '/of/composed', touches: () => [], answer: (orders: any) => fail(orders) }, // composed
    { answers: 'composed', path: '/of/part', overview: { part: 'part' }, touches: (of: any) => fail(of), answer: () => ({}) }, // part
    { answers: 'count', path: '/of/count', from: 'orders', index: 'time', by: () => fail({}), shape: () => ({}) }, // count
    { answers: 'total', path: '/of/total', total: (slots: any) => fail(slots) }, // total
    { answers: 'live', path: '/of/live', of: { collection: 'orders' }, keep: () => true, shape: (order: any) => fail(order) }, // live
  ],
}
`,
})
const { default: domain } = load<{ default: DecideDomain }>('domains/orders/domain.ts')

const dir = mkdtempSync(join(tmpdir(), 'domain-bugs-'))
const file = openFile(dir)
const store: Store = embeddedStore(file)
const log = keptLog()
let host: Host

beforeAll(async () => {
  await store.prepare(collections([domain]))
  await put('1')
  const telemetry = { ...quiet(), logger: log.logger }
  const parts = {
    ...telemetry,
    domains: [domain],
    callerOf: anybody,
    store,
    log: { append: async () => ({ partition: 0, offset: 0 }) },
    addresses: addresses('a secret of this test'),
    seals: SEALS,
    waiting: waiting(store, [domain], systemClock),
    clock: systemClock,
    random: Math.random,
    faults: false,
    descriptions: {},
  }
  const mounts = [
    { kind: 'http', name: 'query', methods: ['GET'], serve: httpFunction(querier(parts), telemetry) },
    { kind: 'http', name: 'publish', serve: httpFunction(publisher(parts), telemetry) },
  ] as const
  const address = '127.0.0.1'
  host = await startHost({ port: 0, address, mounts: [...mounts], maxBodyBytes: 1e6, telemetry, checks: {} })
})
beforeEach(() => {
  log.lines.length = 0
})
afterAll(async () => {
  await host.close()
  await store.close()
  file.close()
  rmSync(dir, { recursive: true })
})

const put = (_id: string) => store.commit([{ collection: { name: 'orders', indexes: {} }, put: [{ _id, time: _id }] }])
const ask = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${host.port}${path}`, init)

function expectReport(comment: string, fields: object, message = 'a request failed'): void {
  const reported = { domain: 'orders', detail: expect.stringMatching(/reading '/), message, ...fields }
  expect(log.lines).toEqual([expect.objectContaining(reported)])
  const [bug, caller] = (log.lines[0]?.frames ?? []) as string[]
  expect(bug).toMatch(/domain\.ts:3:\d+ fail$/)
  expect(caller).toContain(placeOf(comment))
}

async function expectSilence(response: Response): Promise<void> {
  const text = await response.text()
  expect(text).toContain('The server has a bug.')
  expect(text).not.toMatch(/domain\.ts|secret|reading|orders/)
}

test.each(['where', 'keep', 'shape', 'join', 'all', 'composed', 'count', 'total'])(
  'a bug in a query (%s) is reported with its domain, its path and its place',
  async (part) => {
    const response = await ask(`/of/${part}`)
    expect(response.status).toBe(500)
    await expectSilence(response)
    expectReport(part, { path: `/of/${part}` })
  },
)

test('a bug in the schema of parameters is reported, and the path of a query is its pattern', async () => {
  await expectSilence(await ask('/of/params?a=1'))
  expectReport('params', { path: '/of/params' })
  log.lines.length = 0
  await expectSilence(await ask('/of/one/1'))
  expectReport('one', { path: '/of/one/{id}' })
})

test('a bug in a stream of lines, in a part of the overview and in live events is reported too', async () => {
  expect((await ask('/of/lines', { headers: { accept: 'application/x-ndjson' } })).status).toBe(500)
  expectReport('lines', { path: '/of/lines' })
  log.lines.length = 0
  await ask('/api/overview')
  expectReport('part', { path: '/of/part' })
  log.lines.length = 0
  const leave = new AbortController()
  const { body } = await ask('/of/live', { signal: leave.signal })
  await body?.getReader().read()
  const change = { collection: 'orders', before: undefined, after: { _id: '2' } }
  await store.insert(changes, [changeRecord('2', change) as Document])
  await eventually(async () => expect(log.lines).toHaveLength(1))
  leave.abort()
  expectReport('live', { path: '/of/live' }, 'a live query failed')
})

test.each(['stream', 'key', 'data', 'read', 'answer'])(
  'a bug in a command (%s) is reported with its domain, its type and its place',
  async (part) => {
    const headers = { 'content-type': 'application/json' }
    const response = await ask(`/in/${part}`, { method: 'POST', headers, body: '{}' })
    expect(response.status).toBe(500)
    await expectSilence(response)
    expectReport(part, { path: `/in/${part}`, type: `orders.${part}` })
  },
)

test('a bug in a line of a batch and in an event is reported too', async () => {
  const lines = { 'content-type': 'application/x-ndjson' }
  const batch = await ask('/in/line', { method: 'POST', headers: lines, body: '{}\n' })
  expect(batch.status).toBe(207)
  await expectSilence(batch)
  expectReport('line', { path: '/in/line', type: 'orders.line' })
  log.lines.length = 0
  const attributes = { specversion: '1.0', id: 'e-1', source: '/shop', type: 'orders.stream' }
  const headers = { 'content-type': 'application/cloudevents+json' }
  const event = await ask('/', { method: 'POST', headers, body: JSON.stringify({ ...attributes, data: {} }) })
  expect(event.status).toBe(500)
  expectReport('stream', { path: '/', type: 'orders.stream' })
})
