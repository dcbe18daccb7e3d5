import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Problem } from '#core/problem.ts'
import type { Request, Response } from '#core/request.ts'
import { Unavailable } from '#core/unavailable.ts'
import { rawSocket } from '#test/socket.ts'
import { quiet } from '#test/telemetry.ts'
import { httpFunction } from './http.ts'

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** Serves it as functions-framework does: the server reads the body and not the function. */
async function serve(handle: (request: Request) => Promise<Response>): Promise<{ url: string; port: number }> {
  const server = createServer(httpFunction(handle, quiet())).listen(0, '127.0.0.1')
  stops.push(() => server.close().closeAllConnections())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port }
}

async function failing(error: unknown, headers: Record<string, string> = {}) {
  const { url } = await serve(async () => {
    throw error
  })
  return await fetch(url, { headers })
}

test('a request has its parts, and an empty body if it has none', async () => {
  let seen: Request | undefined
  const { url } = await serve(async (request) => {
    seen = request
    return { status: 204 }
  })
  const answer = await fetch(`${url}/a/b?c=1&c=2`, { headers: { 'x-one': '1' } })
  expect(answer.status).toBe(204)
  expect(answer.headers.get('content-length')).toBeNull()
  expect(seen).toMatchObject({ method: 'GET', path: '/a/b', headers: { 'x-one': '1' }, body: Buffer.alloc(0) })
  expect(seen?.query.getAll('c')).toEqual(['1', '2'])
  expect(answer.headers.get('traceparent')).toBe(seen?.trace.traceparent)
})

test('a problem is problem+json with the trace id and its own members', async () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const problem = new Problem(422, 'Invalid', 'title is missing', {
    headers: { 'x-more': '1' },
    members: { errors: [{ field: 'title' }] },
  })
  const answer = await failing(problem, { traceparent })
  expect(answer.status).toBe(422)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.headers.get('x-more')).toBe('1')
  expect(answer.headers.get('traceparent')).toBe(traceparent)
  expect(await answer.json()).toEqual({
    type: 'about:blank',
    title: 'Invalid',
    status: 422,
    detail: 'title is missing',
    traceid: '4bf92f3577b34da6a3ce929d0e0e4736',
    errors: [{ field: 'title' }],
  })
})

test.each([
  ['an error', new Error('the password is 1234')],
  ['a string', 'the password is 1234'],
  ['nothing', undefined],
])('%s that is thrown is a 500 that reveals nothing internal', async (_, error) => {
  const answer = await failing(error)
  expect(answer.status).toBe(500)
  const text = await answer.text()
  expect(JSON.parse(text)).toMatchObject({ status: 500, traceid: expect.stringMatching(/^[0-9a-f]{32}$/) })
  expect(text).not.toMatch(/1234|\.ts|\bat /)
})

test('an outage is a 503 with Retry-After', async () => {
  const answer = await failing(new Unavailable('store', 'mongodb://secret is away'))
  expect(answer.status).toBe(503)
  expect(answer.headers.get('retry-after')).toBe('1')
  expect(await answer.text()).not.toContain('secret')
})

test('an invalid response header is a 500', async () => {
  const { url } = await serve(async () => ({ status: 200, headers: { location: '/a\nb' }, body: 'x' }))
  expect((await fetch(url)).status).toBe(500)
})

test('a text response has its length, and HEAD has the same length without a body', async () => {
  const { url } = await serve(async () => ({ status: 200, body: 'Über' }))
  expect((await fetch(url)).headers.get('content-length')).toBe('5')
  const head = await fetch(url, { method: 'HEAD' })
  expect(head.headers.get('content-length')).toBe('5')
  expect(await head.text()).toBe('')
})

async function* chunks(...given: string[]) {
  yield* given
}

test('a stream arrives complete, and HEAD gets only its headers', async () => {
  const { url } = await serve(async () => ({ status: 200, headers: { 'x-one': '1' }, body: chunks('a', 'b', 'c') }))
  expect(await (await fetch(url)).text()).toBe('abc')
  const head = await fetch(url, { method: 'HEAD' })
  expect(head.headers.get('x-one')).toBe('1')
  expect(await head.text()).toBe('')
})

test('an empty stream is an empty response', async () => {
  const { url } = await serve(async () => ({ status: 200, body: chunks() }))
  expect(await (await fetch(url)).text()).toBe('')
})

test('a stream that fails before its first chunk is a problem, and later it breaks the connection off', async () => {
  async function* failingAfter(count: number) {
    for (let index = 0; index < count; index++) yield 'x'
    throw new Unavailable('store', 'away')
  }
  const { url } = await serve(async ({ path }) => ({ status: 200, body: failingAfter(Number(path.slice(1))) }))
  expect((await fetch(`${url}/0`)).status).toBe(503)
  await expect(fetch(`${url}/1`).then((answer) => answer.text())).rejects.toThrow()
})

test('a stream is read only as fast as its client reads, and closed when the client disconnects', async () => {
  let produced = 0
  let signal: AbortSignal | undefined
  const closed = Promise.withResolvers<void>()
  async function* endless() {
    try {
      for (;;) {
        produced++
        yield 'x'.repeat(64 * 1024)
      }
    } finally {
      closed.resolve()
    }
  }
  const { port } = await serve(async (request) => {
    signal = request.signal
    return { status: 200, body: endless() }
  })
  const socket = await rawSocket(port)
  socket.pause()
  socket.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  let before = -1
  while (before !== produced || produced === 0) {
    before = produced
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  expect(produced).toBeLessThan(1000)
  socket.leave()
  await closed.promise
  expect(signal?.aborted).toBe(true)
})

test('a function that reads the signal twelve times adds one listener and causes no warning', async () => {
  const warnings: Error[] = []
  const record = (warning: Error) => void warnings.push(warning)
  process.on('warning', record)
  stops.push(() => process.off('warning', record))
  const { url } = await serve(async (request) => {
    const signals = new Set(Array.from({ length: 12 }, () => request.signal))
    return { status: 200, body: String(signals.size) }
  })
  expect(await (await fetch(url)).text()).toBe('1')
  expect(warnings).toEqual([])
})
