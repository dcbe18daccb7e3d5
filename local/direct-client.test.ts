import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Host, startHost } from '#adapters/host/host.ts'
import type { EventMount } from '#adapters/host/request-handler.ts'
import { systemClock } from '#core/clock.ts'
import type { Delivery, Outcome } from '#core/delivery.ts'
import { manualClock } from '../test/clock.ts'
import { quiet } from '../test/telemetry.ts'
import { directClient, type Sink } from './direct-client.ts'
import { type HttpClient, httpClient } from './kafka-source/http-client.ts'
import { type CloudEventRequest, recordToRequest } from './kafka-source/record-to-request.ts'

const LIMITS = { timeoutMs: 60_000 }
const telemetry = quiet()
const counted = (['requestDone', 'letterKept', 'failed'] as const).map((name) => vi.spyOn(telemetry.metrics, name))
const maxBodyBytes = 2000
let received: Delivery[] = []
let outcome: () => Promise<Outcome> = async () => ({ status: 204 })
const mount: EventMount = {
  kind: 'cloudevent',
  name: 'persist',
  path: '/persist',
  serve(event) {
    received.push(event)
    return outcome()
  },
}

let host: Host
let sink: Sink
let overHttp: HttpClient
let direct: HttpClient

beforeAll(async () => {
  host = await startHost({ telemetry, port: 0, address: '127.0.0.1', maxBodyBytes, checks: {}, mounts: [mount] })
  sink = { mount, url: `http://127.0.0.1:${host.port}/persist`, maxBodyBytes, inFlight: 2, telemetry }
  overHttp = httpClient(systemClock, LIMITS)
  direct = directClient(sink, { ...LIMITS, clock: systemClock, overHttp })
})
afterAll(async () => {
  await direct.close()
  await host.close()
})

/** What the function gets, the KafkaSource gets, and is counted, but for the id of a new trace and times. */
async function through(client: HttpClient, request: CloudEventRequest) {
  received = []
  for (const spy of counted) spy.mockClear()
  const { status, head } = await client.post(sink.url, request)
  await vi.waitFor(() => expect(telemetry.metrics.requestDone).toHaveBeenCalledOnce(), { interval: 1 })
  const text = head.toString().replace(/"traceid":"\w+"/, '')
  const counts = counted.map(({ mock }) => mock.calls.map(([what]) => what))
  return { received: received.map(({ time: _, ...event }) => event), status, text, counts }
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
const attribute = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ maxLength: 6000, minLength: 3000 }))
const record = fc.record({
  partition: fc.nat(5),
  offset: fc.nat(),
  time: fc.constant(0),
  key: fc.option(fc.string().map((text) => Buffer.from(text))),
  value: fc.option(
    fc.oneof(
      bytes(50),
      bytes(4000),
      fc.json().map((text) => Buffer.from(text)),
    ),
  ),
  headers: fc
    .dictionary(fc.stringMatching(/^(ce_[a-z]{1,9}|content-type)$/), attribute)
    .map((named) =>
      Object.entries({ ce_specversion: '1.0', ce_id: 'a', ce_source: '/s', ce_type: 't', ...named }).map(
        ([name, value]): [string, Buffer] => [name, Buffer.from(value)],
      ),
    ),
})

test('a function gets of any record what it gets over a connection', async () => {
  outcome = async () => ({ status: 204 })
  let passed = 0
  const post = vi.spyOn(overHttp, 'post')
  await fc.assert(
    fc.asyncProperty(record, async (record) => {
      let request: CloudEventRequest
      try {
        request = recordToRequest(record, { namespace: 'n', name: 's', topic: 't' })
      } catch {
        return
      }
      const expected = await through(overHttp, request)
      post.mockClear()
      expect(await through(direct, request)).toEqual(expected)
      if (post.mock.calls.length === 0) passed++
    }),
    { numRuns: 300 },
  )
  post.mockRestore()
  expect(passed, 'requests without a connection').toBeGreaterThan(10)
})

const plain: CloudEventRequest = {
  headers: {
    'ce-specversion': '1.0',
    'ce-id': 'a',
    'ce-source': '/s',
    'ce-type': 't',
    'content-type': 'application/json',
  },
  body: '{"b":1}',
}

test.each([500, 1500, 3000])('a body of %d characters of two bytes is as large as over a connection', async (count) => {
  outcome = async () => ({ status: 204 })
  const request = { ...plain, body: JSON.stringify('é'.repeat(count)) }
  expect(await through(direct, request)).toEqual(await through(overHttp, request))
})

const outcomes: [string, () => Promise<Outcome>][] = [
  ['done', async () => ({ status: 204 })],
  ['parked', async () => ({ status: 422, detail: 'kept' })],
  ['a fault', async () => ({ status: 500, detail: 'a bug' })],
  ['unavailable', async () => ({ status: 503, detail: 'd'.repeat(2000) })],
  ['an exception', () => Promise.reject(new Error('oh'))],
]
test.each(outcomes)(
  'a KafkaSource gets of %s what it gets over a connection, and the same is counted',
  async (_, made) => {
    outcome = made
    const expected = await through(overHttp, plain)
    const post = vi.spyOn(overHttp, 'post')
    expect(await through(direct, plain)).toEqual(expected)
    expect(post).not.toHaveBeenCalled()
    post.mockRestore()
  },
)

test('no more requests than allowed are in the function at once, and a late response is none', async () => {
  const clock = manualClock()
  const patient = directClient(sink, { ...LIMITS, clock, overHttp: { ...overHttp, close: async () => {} } })
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  outcome = () => promise
  received = []
  const answers = [1, 2, 3].map(() => patient.post(sink.url, plain))
  await vi.waitFor(() => expect(received).toHaveLength(2))
  await clock.advance(LIMITS.timeoutMs)
  expect(await Promise.all(answers)).toEqual([1, 2, 3].map(() => ({ status: undefined, head: Buffer.alloc(0) })))
  resolve({ status: 204 })
  await promise
  expect(received).toHaveLength(2)
  expect(await patient.post(sink.url, plain)).toMatchObject({ status: 204 })
  const stuck = patient.post('http://127.0.0.1:9/elsewhere', plain)
  expect((await stuck).status).toBeUndefined()
})

test('closing ends the requests that have no response', async () => {
  const closing = directClient(sink, {
    ...LIMITS,
    clock: systemClock,
    overHttp: { ...overHttp, close: async () => {} },
  })
  outcome = () => new Promise(() => {})
  const answer = closing.post(sink.url, plain)
  await closing.close()
  expect((await answer).status).toBeUndefined()
})
