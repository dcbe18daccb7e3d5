import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { Request, Response } from '#core/request.ts'
import { rawSocket } from '#test/socket.ts'
import { quiet } from '#test/telemetry.ts'
import { type Host, type HostOptions, startHost } from './host.ts'
import { httpFunction } from './http.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function serve(handle: (request: Request) => Promise<Response>, more: Partial<HostOptions> = {}): Promise<Host> {
  const host = await startHost({
    telemetry: quiet(),
    port: 0,
    address: '127.0.0.1',
    maxBodyBytes: 1000,
    checks: {},
    drainWithinMs: 2000,
    mounts: [{ kind: 'http', name: 'test', serve: httpFunction(handle, quiet()) }],
    ...more,
  })
  stops.push(host.close)
  return host
}

const path = async ({ path }: Request): Promise<Response> => ({ status: 200, body: path })
const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`
const statuses = (received: string) => [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))
const isProblem = /content-type: application\/problem\+json[\s\S]*"traceid":"[0-9a-f]{32}"/

test.each([
  ['a request without a Host header', 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
  ['a request with two Host headers', 'GET / HTTP/1.1\r\nhost: a\r\nHOST: a\r\nconnection: close\r\n\r\n', 400],
  ['an unknown expectation', 'POST / HTTP/1.1\r\nhost: a\r\nexpect: 200-ok\r\ncontent-length: 5\r\n\r\n', 417],
  ['a line that is not HTTP', 'hello\r\n\r\n', 400],
  ['a malformed header line', 'GET / HTTP/1.1\r\nhost: a\r\nbro ken: \u0001\r\n\r\n', 400],
  ['two lengths', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 400],
  [
    'a length together with chunks',
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    400,
  ],
  ['too many headers', `GET / HTTP/1.1\r\nhost: a\r\n${`x: ${'x'.repeat(8000)}\r\n`.repeat(9)}\r\n`, 431],
  ['a malformed chunk', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', 400],
])('%s is refused with a problem and the connection closed', async (_, sent, status) => {
  const { port } = await serve(path)
  const socket = await rawSocket(port)
  socket.send(sent)
  const received = await socket.closed()
  expect(statuses(received)).toEqual([status])
  expect(received).toMatch(isProblem)
})

test.each(['gzip', 'deflate', 'br', 'zstd', 'x-of-ours', 'identity, gzip'])(
  'a body that is encoded as %s is refused with 415 and the accepted encoding',
  async (encoding) => {
    const { port } = await serve(path)
    const headers = { 'content-encoding': encoding }
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: 'x' })
    expect([answer.status, answer.headers.get('accept-encoding')]).toEqual([415, 'identity'])
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
  },
)

test('a body that is encoded as identity is accepted, and a client that expects 100-continue gets it', async () => {
  const { port } = await serve(async ({ body }) => ({ status: 200, body: body.toString() }))
  const socket = await rawSocket(port)
  const head =
    'POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-Continue\r\ncontent-encoding: Identity\r\ncontent-length: 5\r\n\r\n'
  socket.send(head)
  await socket.until('100 Continue')
  socket.send('hello')
  await socket.until('hello')
  socket.leave()
})

test('a route may take larger bodies than others', async () => {
  const { port } = await serve(path, {
    mounts: [
      {
        kind: 'http',
        name: 'test',
        maxBodyBytes: (method, path) => (method === 'POST' && path === '/large' ? 5000 : undefined),
        serve: httpFunction(path, quiet()),
      },
    ],
  })
  const post = async (to: string, bytes: number) =>
    (await fetch(`http://127.0.0.1:${port}${to}`, { method: 'POST', body: 'x'.repeat(bytes) })).status
  expect([await post('/large?a', 5000), await post('/large', 5001)]).toEqual([200, 413])
  expect([await post('/small', 1000), await post('/small', 1001)]).toEqual([200, 413])
})

test('a client that sends a whole oversized body before it reads still gets its 413', async () => {
  const { port } = await serve(path)
  const socket = await rawSocket(port)
  socket.pause()
  socket.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 20000000\r\n\r\n${'x'.repeat(20_000_000)}`)
  await socket.sent()
  socket.resume()
  expect(statuses(await socket.closed())).toEqual([413])
})

test.each([
  ['its head', 'POST / HTTP/1.1\r\nhost: a\r\n'],
  ['its body', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nab'],
])('a client that is too slow with %s gets 408', async (_, sent) => {
  const { port } = await serve(path, { receiveWithinMs: 100 })
  const socket = await rawSocket(port)
  socket.send(sent)
  const received = await socket.closed()
  expect(statuses(received)).toEqual([408])
  expect(received).toMatch(isProblem)
})

test('responses to pipelined requests keep the order of the requests', async () => {
  const { port } = await serve(async (request) => {
    await sleep(request.path === '/1' ? 30 : 0)
    return await path(request)
  })
  const socket = await rawSocket(port)
  socket.send(`${get('/1')}${get('/2')}POST /3 HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nab${get('/4')}`)
  const received = await socket.until('/4')
  expect(statuses(received)).toEqual([200, 200, 200, 200])
  expect(received.match(/\/\d$|\/\d(?=HTTP)/g)).toEqual(['/1', '/2', '/3', '/4'])
  socket.leave()
})

test('the response to unreadable bytes comes after the one to the request before them', async () => {
  const gate = Promise.withResolvers<void>()
  const entered = Promise.withResolvers<void>()
  const { port } = await serve(async (request) => {
    entered.resolve()
    await gate.promise
    return await path(request)
  })
  const socket = await rawSocket(port)
  socket.send(`${get('/1')}nonsense\r\n\r\n`)
  await entered.promise
  gate.resolve()
  expect(statuses(await socket.closed())).toEqual([200, 400])
})

test('a request whose client disconnects before the end of its body does not reach the function', async () => {
  let calls = 0
  const { port } = await serve(async (request) => {
    calls++
    return await path(request)
  })
  const socket = await rawSocket(port)
  socket.send('POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 100\r\n\r\n')
  await socket.until('100 Continue')
  socket.send('ab')
  socket.leave()
  const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  await expect.poll(metrics, { timeout: 10_000 }).toMatch(/method="POST",route="",status="499"/)
  expect(calls).toBe(0)
})

test('a closing host finishes open requests, closes their connections, and refuses new ones', async () => {
  const gate = Promise.withResolvers<void>()
  const entered = Promise.withResolvers<void>()
  const { port, close } = await serve(async (request) => {
    entered.resolve()
    await gate.promise
    return await path(request)
  })
  const busy = await rawSocket(port)
  const idle = await rawSocket(port)
  idle.send(get('/health/live'))
  await idle.until('"up"')
  busy.send(get('/1'))
  await entered.promise
  const closed = close()
  await idle.closed()
  await expect(rawSocket(port)).rejects.toThrow()
  gate.resolve()
  const received = await busy.closed()
  expect(statuses(received)).toEqual([200])
  expect(received).toMatch(/connection: close/i)
  await closed
})

test('a closing host lets an open stream end, and closes its connection', async () => {
  const gate = Promise.withResolvers<void>()
  async function* halves() {
    yield 'first'
    await gate.promise
    yield 'second'
  }
  const { port, close } = await serve(async () => ({ status: 200, body: halves() }), { drainWithinMs: 60_000 })
  const socket = await rawSocket(port)
  socket.send(get('/'))
  await socket.until('first')
  const closed = close()
  gate.resolve()
  expect(await socket.closed()).toContain('second')
  await closed
})

test('a closing host cuts off a request that takes too long', async () => {
  const entered = Promise.withResolvers<void>()
  const hang = () => {
    entered.resolve()
    return new Promise<Response>(() => {})
  }
  const { port, close } = await serve(hang, { drainWithinMs: 50 })
  const socket = await rawSocket(port)
  socket.send(get('/'))
  await entered.promise
  await close()
  await expect(socket.closed()).resolves.toBe('')
})

test('a host that closes under load responds to every request that it accepted', { timeout: 90_000 }, async () => {
  let taken = 0
  const { port, close } = await serve(async (request) => {
    taken++
    await sleep(5)
    return await path(request)
  })
  let answered = 0
  const client = async () => {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
      if (!answer) return
      await answer.text()
      answered++
    }
  }
  const clients = Array.from({ length: 20 }, client)
  await expect.poll(() => answered, { timeout: 60_000 }).toBeGreaterThan(100)
  await close()
  await Promise.all(clients)
  expect(answered).toBe(taken)
})
