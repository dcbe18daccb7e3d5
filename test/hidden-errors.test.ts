import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { openFile } from '#adapters/embedded/file.ts'
import { startGrpc } from '#adapters/grpc/server.ts'
import { startHost } from '#adapters/host/host.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import type { CallerOf } from '#core/access.ts'
import { type Clock, systemClock } from '#core/clock.ts'
import { toDelivery } from '#core/cloudevent.ts'
import { collections } from '#core/collections.ts'
import letters from '#core/letters/domain.ts'
import type { Log } from '#core/log.ts'
import { addresses } from '#core/receipts.ts'
import { waiting } from '#core/waiting.ts'
import { decideDomain } from '#domains/decide-domain.ts'
import type { Domain } from '#domains/domain.ts'
import { persister } from '#functions/persist/persister.ts'
import { grpcMethods } from '#functions/publish/grpc-methods.ts'
import { publisher } from '#functions/publish/publisher.ts'
import { submitter } from '#functions/publish/submit.ts'
import { querier } from '#functions/query/querier.ts'
import { grpcClient } from './grpc.ts'
import { eventually, send } from './mill.ts'
import { quiet } from './telemetry.ts'
import { SEALS, wary } from './trust.ts'

/** The error of a rule quotes what it read. Only who may read letters gets its text, whichever way a caller asks. */
const SECRET = /4711|quote|reading|expected number/
const data = z.object({ order: z.string(), way: z.enum(['throw', 'event', 'wait', 'refuse']) })
const orders = decideDomain({
  name: 'orders',
  topic: { name: 'orders', partitions: 1 },
  ordering: 'ordered',
  commands: {
    'orders.pay': {
      data,
      stream: ({ order }) => `order/${order}`,
      routes: [{ method: 'POST', path: '/api/orders', body: 'batch' }],
      calls: [
        {
          method: 'shop.v1.Orders/Pay',
          read: ({ order }) => ({ order, way: 'throw' }),
          answer: () => ({ done: true }),
        },
      ],
    },
  },
  events: { 'orders.paid': z.object({ cents: z.int().min(1) }) },
  collections: { orders: { schema: z.object({ cents: z.int() }), indexes: { cents: { fields: ['cents'] } } } },
  touches: ({ stream }) => [{ collection: 'orders', ids: [stream] }],
  decide({ data: { way } }) {
    if (way === 'throw') throw new Error('no order costs 4711: quote')
    if (way === 'refuse') return { rejected: 'it is paid' }
    return { events: [{ type: 'orders.paid', data: { cents: way === 'event' ? -4711 : 1 } }] }
  },
  projections: {
    'orders.paid': ({ stream, data }) => [{ collection: 'orders', document: { _id: stream, ...data } }],
  },
  queries: ({ page }) => [
    page({
      path: '/api/orders',
      name: 'list',
      item: z.object({ id: z.string() }),
      from: 'orders',
      index: 'cents',
      shape: ({ _id }) => ({ id: _id }),
    }),
  ],
})
const domains: Domain[] = [orders, letters]

const PROTO = `syntax = "proto3";
package shop.v1;
service Orders { rpc Pay (Payment) returns (Paid); }
message Payment { string order = 1; }
message Paid { bool done = 1; }`

const dir = mkdtempSync(join(tmpdir(), 'hidden-errors-'))
const proto = join(dir, 'orders.proto')
const file = openFile(dir)
const store = embeddedStore(file)
/** persist pauses before a retry, and a test does not. */
const hasty: Clock = { now: Date.now, sleep: async () => undefined }
const callerOf: CallerOf = async ({ authorization: id = 'anonymous' }) => ({
  id: String(id),
  scopes: new Set(id === 'operator' ? ['letters:read'] : []),
})
const closers: (() => unknown)[] = []
let origin: string
let grpc: ReturnType<typeof grpcClient>

beforeAll(async () => {
  writeFileSync(proto, PROTO)
  await store.prepare(collections(domains))
  const telemetry = quiet()
  const shared = { ...telemetry, domains, store, random: Math.random }
  const { persist } = persister({ ...shared, clock: hasty, instance: 'pod-1', maxInFlight: 10, trust: wary })
  const parts = {
    ...shared,
    callerOf,
    log: { append: appendTo(persist) },
    addresses: addresses('a secret of this test'),
    seals: SEALS,
    waiting: waiting(store, domains, systemClock),
    clock: systemClock,
    faults: false,
    descriptions: {},
  }
  const submit = submitter(parts)
  const mounts = [
    { kind: 'http', name: 'query', methods: ['GET'], serve: httpFunction(querier(parts), telemetry) },
    { kind: 'http', name: 'publish', serve: httpFunction(publisher(parts, submit), telemetry) },
  ] as const
  const at = { port: 0, address: '127.0.0.1', telemetry }
  const host = await startHost({ ...at, mounts: [...mounts], maxBodyBytes: 1e6, checks: {} })
  origin = `http://127.0.0.1:${host.port}`
  const methods = grpcMethods(parts, submit)
  const server = await startGrpc({ ...at, protos: [proto], methods, maxMessageBytes: 1e6 })
  grpc = grpcClient(`127.0.0.1:${server.port}`, proto, 'shop.v1.Orders')
  closers.push(store.close, file.close, host.close, server.close, grpc.close)
})
afterAll(async () => {
  for (const close of closers.reverse()) await close()
  rmSync(dir, { recursive: true })
})

/** A log whose source delivers a record until persist has answered for good. */
const appendTo = (persist: ReturnType<typeof persister>['persist']): Log['append'] => {
  let offset = 0
  return async (_, { value, headers = {} }) => {
    const position = { partition: 0, offset: offset++ }
    const attributes = Object.entries(headers).map(([name, text]) => [name.replace('ce_', 'ce-'), String(text)])
    const place = { 'ce-knativekafkapartition': '0', 'ce-knativekafkaoffset': String(position.offset) }
    const delivery = toDelivery({ ...Object.fromEntries(attributes), ...place }, Buffer.from(value ?? ''))
    void eventually(async () => expect((await persist(delivery)).status).toBeLessThan(500), { every: 1 })
    return position
  }
}

const pay = (way: string, headers = {}, order: string = crypto.randomUUID()) =>
  send(`${origin}/api/orders`, { order, way }, { prefer: 'wait=15', ...headers })
const read = async (path: string, authorization = 'member') => {
  const response = await fetch(origin + path, { headers: { authorization } })
  return { status: response.status, text: await response.text() }
}
const sentence = (letter: string) =>
  `A bug of the site stops this command, which is kept as letter ${letter}. It is applied after the bug is corrected and the letter is redriven. Report it with this id.`

test.each(['throw', 'event'])(
  'a caller who waits gets no text of an error (%s), and neither do the receipt and a read after it',
  async (way) => {
    const response = await pay(way, { 'idempotency-key': `key ${way}`, authorization: 'member' })
    const text = await response.text()
    expect([response.status, text]).toEqual([409, expect.not.stringMatching(SECRET)])
    const { id, receipt, ...problem } = JSON.parse(text)
    expect(problem).toMatchObject({ title: 'Parked', outcome: 'parked', detail: sentence(id) })
    const known = await read(receipt)
    expect(JSON.parse(known.text)).toEqual({ id, status: 'parked', reason: sentence(id) })
    const after = await read(`/api/orders?after=${receipt}`)
    expect(after).toEqual({ status: 200, text: expect.not.stringMatching(SECRET) })
    const overview = await read(`/api/overview?after=${receipt}`)
    expect(overview).toEqual({ status: 200, text: expect.not.stringMatching(SECRET) })
  },
)

test('a command behind a parked one names its own letter', async () => {
  const order = crypto.randomUUID()
  await pay('throw', {}, order)
  const { id, detail } = (await (await pay('wait', {}, order)).json()) as { id: string; detail: string }
  expect(detail).toBe(sentence(id))
})

test('the receipt of a line of a batch has no text of the error', async () => {
  const response = await send(`${origin}/api/orders`, [{ order: 'in a batch', way: 'throw' }], { prefer: 'wait=15' })
  const text = await response.text()
  expect([response.status, text]).toEqual([202, expect.not.stringMatching(SECRET)])
  const [{ id, receipt }] = JSON.parse(text)
  await eventually(async () =>
    expect(JSON.parse((await read(receipt)).text)).toEqual({ id, status: 'parked', reason: sentence(id) }),
  )
})

test('the status of gRPC has no text of the error', async () => {
  const { error, trailers } = await grpc.call('Pay', { order: 'over gRPC' }, { prefer: 'wait=15' })
  expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: expect.stringContaining('kept as letter') })
  expect(JSON.stringify([error, trailers])).not.toMatch(SECRET)
})

test('who may read letters gets the text with its place, and nobody else', async () => {
  const { id } = (await (await pay('throw')).json()) as { id: string }
  for (const path of ['/api/letters', `/api/letters/${id}`]) {
    expect(await read(path)).toEqual({ status: 403, text: expect.not.stringMatching(SECRET) })
    const { status, text } = await read(path, 'operator')
    expect(status).toBe(200)
    expect(text).toContain('no order costs 4711: quote')
    expect(text).toMatch(/hidden-errors\.test\.ts:\d+:\d+/)
  }
})

test('a rejection by a rule and invalid input keep their texts', async () => {
  expect(await (await pay('refuse')).json()).toMatchObject({ outcome: 'rejected', detail: 'it is paid' })
  expect(await (await pay('dance')).json()).toMatchObject({ status: 422, detail: expect.stringContaining('way') })
})
