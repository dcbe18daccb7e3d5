import { afterEach, expect, test } from 'vitest'
import { KEPT_BYTES } from '#core/cloudevent.ts'
import { type Delivery, MALFORMED, type Outcome } from '#core/delivery.ts'
import type { Request, Response } from '#core/request.ts'
import { rawSocket } from '#test/socket.ts'
import { quiet } from '#test/telemetry.ts'
import { type HostOptions, startHost } from './host.ts'
import { httpFunction } from './http.ts'
import type { Mount } from './request-handler.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const LIMIT = 100_000

async function serve(mounts: Mount[], more: Partial<HostOptions> = {}): Promise<{ url: string; port: number }> {
  const common = { port: 0, address: '127.0.0.1', maxBodyBytes: LIMIT, checks: {}, drainWithinMs: 100 }
  const { port, close } = await startHost({ telemetry: quiet(), ...common, mounts, ...more })
  stops.push(close)
  return { url: `http://127.0.0.1:${port}`, port }
}

const http = (handle: (request: Request) => Promise<Response>): Mount => ({
  kind: 'http',
  name: 'test',
  paths: ['/api/'],
  serve: httpFunction(handle, quiet()),
})

const echo = http(async ({ body, path }) => ({ status: 200, body: `${path} ${body.length}` }))

function persist(outcome: Outcome = { status: 204 }) {
  const events: Delivery[] = []
  const mount: Mount = {
    kind: 'cloudevent',
    name: 'persist',
    path: '/persist',
    async serve(event) {
      events.push(event)
      return event.type === MALFORMED ? { status: 422, detail: String(event.reason) } : outcome
    },
  }
  return { mount, events }
}

async function problem(answer: globalThis.Response, status: number): Promise<Record<string, unknown>> {
  const text = await answer.text()
  expect(answer.status, text).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(text).not.toMatch(/\bat .*:\d+/)
  return JSON.parse(text)
}

const post = (url: string, body: string | ReadableStream, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body, headers, duplex: 'half' } as RequestInit)

const slices = (bytes: number): ReadableStream<Uint8Array> =>
  ReadableStream.from(
    (function* () {
      for (let left = bytes; left > 0; left -= 10_000) yield Buffer.alloc(Math.min(left, 10_000), 'x')
    })(),
  )

const binary = { 'ce-specversion': '1.0', 'ce-id': 'id-1', 'ce-source': '/test', 'ce-type': 'things.make' }

test('the first mount that accepts a request serves it, and other requests are 404', async () => {
  const { url } = await serve([echo, { ...http(async () => ({ status: 500 })) }])
  expect(await (await post(`${url}/api/a?b=c`, 'body')).text()).toBe('/api/a 4')
  await problem(await fetch(`${url}/other`), 404)
  await problem(await post(`${url}/other`, 'body'), 404)
})

test('a body up to the limit is accepted, and one byte more is 413, declared or not', async () => {
  const { url } = await serve([echo])
  expect(await (await post(`${url}/api/a`, 'x'.repeat(LIMIT))).text()).toBe(`/api/a ${LIMIT}`)
  expect(await (await post(`${url}/api/a`, slices(LIMIT))).text()).toBe(`/api/a ${LIMIT}`)
  await problem(await post(`${url}/api/a`, 'x'.repeat(LIMIT + 1)), 413)
  await problem(await post(`${url}/api/a`, slices(LIMIT + 1)), 413)
})

test('a client that never stops sending gets a 413, and memory stays flat', async () => {
  const { url } = await serve([echo])
  const before = process.memoryUsage().rss
  await problem(await post(`${url}/api/a`, slices(50_000_000)), 413)
  expect(process.memoryUsage().rss - before).toBeLessThan(30_000_000)
})

test('a declared length over the limit is 413 before the body arrives', async () => {
  const { port } = await serve([echo])
  const socket = await rawSocket(port)
  socket.send(`POST /api/a HTTP/1.1\r\nhost: a\r\ncontent-length: ${LIMIT + 1}\r\n\r\n`)
  expect(await socket.until('The body is larger')).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i)
  socket.leave()
})

test('a function that throws at once is 500', async () => {
  const mount: Mount = {
    kind: 'http',
    name: 'test',
    serve() {
      throw new Error('the password is 1234')
    },
  }
  const { url } = await serve([mount])
  expect(JSON.stringify(await problem(await fetch(url), 500))).not.toContain('1234')
})

test('a function that throws in the middle of its response breaks the connection off', async () => {
  const mount: Mount = {
    kind: 'http',
    name: 'test',
    async serve(_, res) {
      res.write('half')
      throw new Error('broken')
    },
  }
  const { url } = await serve([mount])
  await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow()
})

test('a function that never responds is 503, its signal aborts, and a late response has no effect', async () => {
  const aborted = Promise.withResolvers<void>()
  const { url } = await serve(
    [
      http(async ({ signal }) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        aborted.resolve()
        return { status: 200, body: 'late' }
      }),
    ],
    { answerWithinMs: 50 },
  )
  const bugs = async () => (await (await fetch(`${url}/metrics`)).text()).match(/errors_total\{cause="bug"\} \d+/)?.[0]
  const before = await bugs()
  await problem(await fetch(`${url}/api/a`), 503)
  await aborted.promise
  expect(await bugs()).toBe(before)
})

test('a response that has begun may be slow', async () => {
  async function* slow() {
    for (const chunk of 'abcd') {
      yield chunk
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const { url } = await serve([http(async () => ({ status: 200, body: slow() }))], { answerWithinMs: 60 })
  expect(await (await fetch(`${url}/api/a`)).text()).toBe('abcd')
})

test('an event is passed on, and the outcome becomes the response', async () => {
  const { mount, events } = persist()
  const { url } = await serve([mount])
  const answer = await post(`${url}/persist`, '{"a":1}', {
    ...binary,
    'ce-subject': 'M%C3%BChle',
    'content-type': 'application/json',
  })
  expect(answer.status).toBe(204)
  expect(await answer.text()).toBe('')
  expect(events).toMatchObject([{ id: 'id-1', subject: 'Mühle', data: { a: 1 } }])
})

test.each([404, 422, 500, 503] as const)('an outcome of %i is a problem with the reason', async (status) => {
  const { url } = await serve([persist({ status, detail: 'because' }).mount])
  const answer = await post(`${url}/persist`, 'x', binary)
  expect(answer.headers.get('retry-after')).toBe(status === 503 ? '1' : null)
  expect(await problem(answer, status)).toMatchObject({ detail: 'because' })
})

test.each([
  ['no event', {}, 'x'],
  ['broken JSON', { ...binary, 'content-type': 'application/json' }, '{"a":'],
  ['a broken structured event', { 'content-type': 'application/cloudevents+json' }, '{'],
  ['a wrong content type', { 'content-type': 'multipart/form-data' }, '--x'],
  ['an event without an id', { ...binary, 'ce-id': '' }, '{}'],
  ['a body that is too large', binary, 'x'.repeat(LIMIT + 1)],
])('%s is passed on as malformed and gets 422', async (_, headers, body) => {
  const { mount, events } = persist()
  const { url } = await serve([mount])
  await problem(await post(`${url}/persist`, body, headers), 422)
  expect(events).toMatchObject([{ type: MALFORMED, data: Buffer.from(body.slice(0, KEPT_BYTES)) }])
})

test('an oversized delivery is the same letter however it arrives', async () => {
  const { mount, events } = persist()
  const { url } = await serve([mount])
  await problem(await post(`${url}/persist`, slices(LIMIT * 3), binary), 422)
  await problem(await post(`${url}/persist`, 'x'.repeat(LIMIT * 3), binary), 422)
  expect(events).toMatchObject([{ truncated: 'true' }, { truncated: 'true' }])
  expect(events[0]?.id).toBe(events[1]?.id)
})

test('a request to persist with another method than POST is 404, which a KafkaSource would retry', async () => {
  const { url } = await serve([persist().mount])
  for (const method of ['GET', 'PUT', 'DELETE']) await problem(await fetch(`${url}/persist`, { method }), 404)
})

test('a persist that throws is a 500 that reveals nothing internal', async () => {
  const { url } = await serve([
    {
      kind: 'cloudevent',
      name: 'persist',
      path: '/persist',
      async serve() {
        throw new Error('the password is 1234')
      },
    },
  ])
  expect(JSON.stringify(await problem(await post(`${url}/persist`, 'x', binary), 500))).not.toContain('1234')
})

test('live and ready are shallow, and deep names the unavailable part without details', async () => {
  const { url } = await serve([], {
    checks: {
      log: async () => {},
      store: async () => {
        throw new Error('mongodb://secret')
      },
    },
  })
  expect((await fetch(`${url}/health/live`)).status).toBe(200)
  expect((await fetch(`${url}/health/ready`)).status).toBe(200)
  const deep = await fetch(`${url}/health/deep`)
  expect(deep.status).toBe(503)
  expect(await deep.json()).toEqual({ status: 'degraded', parts: { log: 'up', store: 'away' } })
})

test('requests are counted by function, method, route and status', async () => {
  const { url } = await serve([
    http(async (request) => {
      request.route = '/api/{id}'
      return { status: 202, body: '' }
    }),
  ])
  for (const id of ['a', 'b']) await (await fetch(`${url}/api/${id}`)).text()
  const series =
    'millrace_request_duration_seconds_count{function="test",method="GET",route="/api/{id}",status="202"} 2'
  await expect.poll(async () => (await fetch(`${url}/metrics`)).text(), { timeout: 4000 }).toContain(series)
})

test('a drain does not wait for connections that have brought nothing', async () => {
  const { port } = await serve([echo], { drainWithinMs: 60_000 })
  await Promise.all([rawSocket(port), rawSocket(port)])
  const began = performance.now()
  await stops.pop()?.()
  expect(performance.now() - began).toBeLessThan(5000)
})

test('a drain asks endless responses to end, and waits for their last chunk', async () => {
  async function* told({ closing }: Request): AsyncGenerator<string> {
    yield 'first '
    await new Promise((resolve) => closing.addEventListener('abort', resolve))
    yield 'last'
  }
  const endless = http(async (request) => ({ status: 200, body: told(request) }))
  const { url } = await serve([endless], { drainWithinMs: 60_000 })
  const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/api/endless`)))
  await Promise.all(stops.splice(0).map((stop) => stop()))
  for (const answer of answers) expect(await answer.text()).toBe('first last')
})
