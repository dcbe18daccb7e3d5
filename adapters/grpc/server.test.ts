import { gzipSync } from 'node:zlib'
import { status } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import type { GrpcMethod } from '#core/grpc-method.ts'
import { Problem } from '#core/problem.ts'
import { Unavailable } from '#core/unavailable.ts'
import { grpcClient, HEALTH, rawCall, SUMS } from '#test/grpc.ts'
import { eventually } from '#test/mill.ts'
import { quiet } from '#test/telemetry.ts'
import { type GrpcServer, startGrpc } from './server.ts'

const telemetry = quiet()
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function serving(serve: GrpcMethod['serve'], more: { drainWithinMs?: number } = {}) {
  const methods = [{ name: 'SumService/AddNumbers', serve }]
  const server: GrpcServer = await startGrpc({
    telemetry,
    port: 0,
    address: '127.0.0.1',
    protos: [SUMS],
    methods,
    maxMessageBytes: 1024,
    ...more,
  })
  const address = `127.0.0.1:${server.port}`
  const [client, health] = [
    grpcClient(address, SUMS, 'SumService'),
    grpcClient(address, HEALTH, 'grpc.health.v1.Health'),
  ]
  closers.push(server.close, client.close, health.close)
  const add = (message = {}, metadata = {}, options = {}) =>
    client.call<{ result: number }>('AddNumbers', message, metadata, options)
  return { server, add, health }
}

const counted = async (code: string): Promise<number> => {
  const { text } = await telemetry.metrics.scrape()
  const labels = `function="publish",method="gRPC",route="/SumService/AddNumbers",status="${code}"`
  return Number(text.split(`millrace_request_duration_seconds_count{${labels}} `)[1]?.split('\n', 1)[0] ?? 0)
}

/** A method that waits until the test releases it. */
function held() {
  const called = Promise.withResolvers<AbortSignal>()
  const released = Promise.withResolvers<void>()
  const serve: GrpcMethod['serve'] = async ({ signal }) => {
    called.resolve(signal)
    await released.promise
    return { result: 1 }
  }
  return { serve, called: called.promise, release: released.resolve }
}

test('a method sees each field of the message, the metadata as headers, and the trace', async () => {
  const calls: unknown[] = []
  const { add } = await serving(async ({ message, headers, trace }) => {
    calls.push([message, headers['idempotency-key'], trace.traceId])
    return { result: 1 }
  })
  await add({ firstNumber: 7 }, { 'idempotency-key': 'mine', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` })
  expect(calls).toEqual([[{ firstNumber: 7, secondNumber: 0, requestId: '' }, 'mine', 'a'.repeat(32)]])
})

test('a bug tells a client its trace and nothing internal', async () => {
  const { add } = await serving(async () => {
    throw new Error('the password is 1234')
  })
  const { error, trailers } = await add()
  expect(error?.code).toBe(status.INTERNAL)
  expect(error?.message).not.toContain('1234')
  expect(trailers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
})

test.each([
  [new Problem(422, '', 'a: b'), status.INVALID_ARGUMENT],
  [new Problem(422, '', 'a: b', { members: { outOfRange: true } }), status.OUT_OF_RANGE],
  [new Problem(412, '', 'a: b'), status.ABORTED],
  [new Problem(409, '', 'a: b'), status.FAILED_PRECONDITION],
  [new Problem(413, '', 'a: b'), status.RESOURCE_EXHAUSTED],
  [new Unavailable('store', 'gone'), status.UNAVAILABLE],
])('%j has the code %d', async (problem, code) => {
  const { add } = await serving(() => Promise.reject(problem))
  expect((await add()).error?.code).toBe(code)
})

test('an unknown outcome has the key to repeat with, unless a trailer can not hold it', async () => {
  let idempotencyKey = 'mine'
  const { add } = await serving(async () => {
    throw new Problem(503, '', 'unknown', {
      headers: { 'retry-after': '1' },
      members: { idempotencyKey, unknown: true },
    })
  })
  expect((await add()).trailers).toMatchObject({ 'idempotency-key': 'mine', unknown: 'true', 'retry-after': '1' })
  idempotencyKey = 'schön'
  const { error, trailers } = await add()
  expect(error?.code).toBe(status.UNAVAILABLE)
  expect(trailers).not.toHaveProperty('idempotency-key')
})

test('a retry policy repeats an unknown outcome only with a key of the client', async () => {
  let [calls, idempotencyKey] = [0, 'mine']
  const { server } = await serving(async () => {
    if (calls++ > 0) return { result: 1 }
    throw new Problem(503, '', '?', { members: { idempotencyKey, receipt: '/api/receipts/sums.1', unknown: true } })
  })
  const client = grpcClient(`127.0.0.1:${server.port}`, SUMS, 'SumService', {
    methodConfig: [{ name: [{ service: 'SumService' }], retryPolicy: RETRIES }],
  })
  closers.push(client.close)
  expect((await client.call('AddNumbers', {})).message).toEqual({ result: 1 })
  calls = 0
  idempotencyKey = 'sums.1'
  expect((await client.call('AddNumbers', {})).error?.code).toBe(status.UNAVAILABLE)
  expect(calls).toBe(1)
})

const RETRIES = {
  maxAttempts: 3,
  initialBackoff: '0.01s',
  maxBackoff: '0.01s',
  backoffMultiplier: 1,
  retryableStatusCodes: ['UNAVAILABLE'],
}

test('a deadline that passes aborts the signal and is counted', async () => {
  const { serve, called, release } = held()
  const { add } = await serving(serve)
  const before = await counted('DEADLINE_EXCEEDED')
  const { error } = await add({}, {}, { deadline: Date.now() + 100 })
  expect(error?.code).toBe(status.DEADLINE_EXCEEDED)
  await eventually(async () => expect((await called).aborted).toBe(true))
  release()
  await eventually(async () => expect((await counted('DEADLINE_EXCEEDED')) - before).toBe(1))
})

test('a message that is too large is refused and counted, and does not reach the method', async () => {
  const { add } = await serving(() => Promise.reject(new Error('reached')))
  const before = await counted('RESOURCE_EXHAUSTED')
  expect((await add({ requestId: 'x'.repeat(1025) })).error?.code).toBe(status.RESOURCE_EXHAUSTED)
  expect((await counted('RESOURCE_EXHAUSTED')) - before).toBe(1)
})

test('a closing server reports NOT_SERVING, refuses new calls and finishes open ones', async () => {
  const { serve, called, release } = held()
  const { server, add, health } = await serving(serve)
  const watch = health.open('Watch', { service: 'SumService' })
  expect(await watch.next()).toEqual({ status: 'SERVING' })
  const first = add()
  await called
  const closed = server.close()
  expect(await watch.next()).toEqual({ status: 'NOT_SERVING' })
  expect((await watch.ended()).code).toBe(status.UNAVAILABLE)
  const late = grpcClient(`127.0.0.1:${server.port}`, SUMS, 'SumService')
  expect((await late.call('AddNumbers', {})).error?.code).toBe(status.UNAVAILABLE)
  late.close()
  release()
  expect((await first).message).toEqual({ result: 1 })
  await closed
})

test('a call that does not end delays a close only until the limit', async () => {
  const { serve, called, release } = held()
  const { server, add } = await serving(serve, { drainWithinMs: 50 })
  void add()
  await called
  await server.close()
  release()
})

test('a method that no .proto file declares stops the start', async () => {
  const methods = [{ name: 'SumService/Subtract', serve: async () => ({}) }]
  const options = { telemetry, port: 0, address: '127.0.0.1', protos: [SUMS], methods, maxMessageBytes: 1024 }
  await expect(startGrpc(options)).rejects.toThrow('no .proto file declares a unary SumService/Subtract')
})

const PATH = '/SumService/AddNumbers'
const HEALTH_PATH = '/grpc.health.v1.Health/Check'

test.each([
  [
    'a group in a number',
    PATH,
    '0b08050c',
    {},
    'The bytes are not a valid AddRequest: firstNumber has the wrong wire type.',
  ],
  ['a string that is not UTF-8', PATH, '1a02ff61', {}, 'a string is not UTF-8'],
  ['a string beyond the end', PATH, '1a0561', {}, 'a length is beyond the end'],
  ['garbage', PATH, 'ffffffffffffffffffffffff', {}, 'more than 64 bits'],
  ['garbage for the health service', HEALTH_PATH, 'ff', {}, 'Error deserializing request'],
  ['a time-out that is none', PATH, '0805', { 'grpc-timeout': 'soon' }, 'Invalid grpc-timeout value'],
])('%s is INVALID_ARGUMENT and does not reach the method', async (_, path, message, headers, details) => {
  const { server } = await serving(async ({ message }) => Promise.reject(new Error(`reached: ${message}`)))
  const answer = await rawCall(`127.0.0.1:${server.port}`, path, Buffer.from(message, 'hex'), headers)
  expect(answer.headers['grpc-status']).toBe(String(status.INVALID_ARGUMENT))
  expect(decodeURI(answer.headers['grpc-message'] ?? '')).toContain(details)
})

test('a refused message has its trace in the trailers', async () => {
  const { server } = await serving(async ({ message }) => message)
  const { headers } = await rawCall(`127.0.0.1:${server.port}`, PATH, Buffer.from('08', 'hex'))
  expect(headers.traceparent).toMatch(/^00-[0-9a-f]{32}-/)
})

test('a message that is wrongly marked as compressed is INVALID_ARGUMENT, and a compressed one is read', async () => {
  const { server } = await serving(async ({ message }) => ({ result: Number(message.firstNumber) }))
  const call = (message: Uint8Array) =>
    rawCall(`127.0.0.1:${server.port}`, PATH, message, { 'grpc-encoding': 'gzip' }, true)
  expect((await call(Buffer.from('0805', 'hex'))).headers['grpc-status']).toBe(String(status.INVALID_ARGUMENT))
  const { headers, message } = await call(gzipSync(Buffer.from('0805', 'hex')))
  expect([headers['grpc-status'], message.toString('hex')]).toEqual(['0', '0805'])
})

test('unknown fields are skipped', async () => {
  const { server } = await serving(async ({ message }) => ({ result: Number(message.secondNumber) }))
  const { message } = await rawCall(`127.0.0.1:${server.port}`, PATH, Buffer.from('c33e0805c43e10077a0161', 'hex'))
  expect(message.toString('hex')).toBe('0807')
})

test('metadata that is not ASCII has an empty value', async () => {
  const seen: unknown[] = []
  const { server } = await serving(async ({ headers }) => {
    seen.push([headers['idempotency-key'], headers['if-match'], headers.prefer, headers['x-bin']])
    return {}
  })
  const sent = { 'idempotency-key': 'sch\u00f6n', 'if-match': '"3"', prefer: 'w\u00e4it' }
  await rawCall(`127.0.0.1:${server.port}`, PATH, Buffer.alloc(0), sent)
  expect(seen).toEqual([['', '"3"', '', undefined]])
})

test('a method that reads the signal twelve times adds one listener and causes no warning', async () => {
  const warnings: Error[] = []
  const record = (warning: Error) => void warnings.push(warning)
  process.on('warning', record)
  closers.push(() => process.off('warning', record))
  const { add } = await serving(async (call) => {
    const signals = new Set(Array.from({ length: 12 }, () => call.signal))
    return { result: signals.size }
  })
  expect((await add()).message).toEqual({ result: 1 })
  expect(warnings).toEqual([])
})
