import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Gateway, hasNginx, startGateway } from '../gateway.ts'
import { grpcClient, SUMS } from '../grpc.ts'
import { discard, eventually, expectProblem, freePort, type Mill, send, startMill } from '../mill.ts'

const there = hasNginx() || process.env.CI === 'true'

describe.runIf(there)('the gateway in front of the functions', () => {
  let mill: Mill
  let gateway: Gateway
  beforeAll(async () => {
    const env = { ALLOWED_HOSTS: 'query.test,publish.test,grpc.test' }
    mill = await startMill({ pair: inject('pair'), env })
    gateway = await startGateway({ query: mill.query, publish: mill.publish, grpc: mill.grpc })
  }, 60_000)
  afterAll(async () => {
    await gateway?.stop()
    await mill?.stop()
    if (mill) discard(mill)
  })

  test('a command is sent and read back at one origin', async () => {
    const answer = await send(`${gateway.url}/api/tutorials`, { title: 'Through the gate' }, { prefer: 'wait=15' })
    expect(answer.status).toBe(201)
    const one = await fetch(gateway.url + answer.headers.get('location'))
    expect(await one.json()).toMatchObject({ title: 'Through the gate' })
  })

  test('a refusal of a function passes unchanged', async () => {
    const problem = await expectProblem(await send(`${gateway.url}/api/tutorials`, { title: '' }), 422)
    expect(problem).toMatchObject({ errors: [{ field: 'title' }] })
    await expectProblem(await fetch(`${gateway.url}/api/nothing`), 404)
  })

  test('a body that is too large is 413, and the next request succeeds', async () => {
    const problem = await expectProblem(await send(`${gateway.url}/api/tutorials`, 'x'.repeat(1_048_577)), 413)
    expect(problem.detail).toContain('1048576')
    expect(problem.traceid).toMatch(/^[0-9a-f]{32}$/)
    const passed = await send(`${gateway.url}/api/tutorials`, `"${'x'.repeat(1_048_574)}"`)
    expect((await expectProblem(passed, 413)).detail).toBe('A command takes at most 262144 bytes.')
  })

  test('gRPC has a port of its own, and keeps the trace of the client', async () => {
    const client = grpcClient(gateway.grpc, SUMS, 'SumService')
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00'
    const { message, trailers } = await client.call('AddNumbers', { firstNumber: 2, secondNumber: 3 }, { traceparent })
    expect([message, trailers.traceparent]).toEqual([{ result: 5 }, traceparent])
    const { error } = await client.call('AddNumbers', { firstNumber: 2 ** 31 - 1, secondNumber: 1 })
    expect(error?.code).toBe(status.OUT_OF_RANGE)
    client.close()
  })

  test('the site does not serve metrics', async () => {
    await expectProblem(await fetch(`${gateway.url}/metrics`), 404)
  })
})

describe.runIf(there)('the gateway and the servers behind it', () => {
  const closers: (() => unknown)[] = []
  afterAll(async () => {
    for (const close of closers.reverse()) await close()
  })

  async function serve(listener: RequestListener, port = 0): Promise<Server> {
    const server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    closers.push(() => server.close().closeAllConnections())
    return server
  }
  const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  async function gate(query: string, publish: string): Promise<string> {
    const gateway = await startGateway({ query, publish })
    closers.push(gateway.stop)
    return gateway.url
  }
  const echo =
    (name: string): RequestListener =>
    ({ method, url, headers }, res) =>
      res.end(JSON.stringify({ name, method, url, headers }))

  test('reads go to query and everything else to publish, each under its own host name', async () => {
    const url = await gate(urlOf(await serve(echo('query'))), urlOf(await serve(echo('publish'))))
    const ask = async (method: string) => (await (await fetch(`${url}/a%2Fb?c=%20d`, { method })).json()) as Echo
    expect(await ask('GET')).toMatchObject({ name: 'query', url: '/a%2Fb?c=%20d', headers: { host: 'query.test' } })
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200)
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      expect(await ask(method)).toMatchObject({ name: 'publish', method, headers: { host: 'publish.test' } })
    }
  })

  test('the gateway keeps the trace of a request, or starts one', async () => {
    const url = await gate(urlOf(await serve(echo('query'))), urlOf(await serve(echo('publish'))))
    const seen = async (headers: Record<string, string>) =>
      ((await (await fetch(url, { headers })).json()) as Echo).headers.traceparent
    const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00'
    expect(await seen({ traceparent: given })).toBe(given)
    expect(await seen({ traceparent: 'nonsense' })).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(await seen({})).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  })

  test('an unavailable function is a problem with the trace, and is reached again after its return', async () => {
    const port = await freePort()
    const url = await gate(`http://127.0.0.1:${port}`, `http://127.0.0.1:${port}`)
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const answer = await fetch(url, { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } })
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await expectProblem(answer, 502)).toMatchObject({ title: 'Bad gateway', traceid: trace })
    await expectProblem(await fetch(url, { method: 'POST', body: 'x' }), 502)
    await serve(echo('query'), port)
    await eventually(async () => expect((await fetch(url)).status).toBe(200))
  })

  test('unavailable gRPC is UNAVAILABLE', async () => {
    const gateway = await startGateway({ query: 'http://127.0.0.1:1', publish: 'http://127.0.0.1:1' })
    closers.push(gateway.stop)
    const client = grpcClient(gateway.grpc, SUMS, 'SumService')
    expect((await client.call('AddNumbers', {})).error?.code).toBe(status.UNAVAILABLE)
    client.close()
  })

  test('a 503 of a function passes unchanged', async () => {
    const away: RequestListener = (_, res) => res.writeHead(503, { 'retry-after': '7' }).end('{"title":"Unavailable"}')
    const server = urlOf(await serve(away))
    const answer = await fetch(await gate(server, server))
    expect([answer.headers.get('retry-after'), await answer.text()]).toEqual(['7', '{"title":"Unavailable"}'])
  })

  test('a stream passes as it is sent, and a disconnect of the client reaches the function', async () => {
    const disconnected = Promise.withResolvers<void>()
    const stream: RequestListener = (_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('data: 1\n\n')
      res.once('close', () => disconnected.resolve())
    }
    const server = urlOf(await serve(stream))
    const gone = new AbortController()
    const answer = await fetch(await gate(server, server), { signal: gone.signal })
    const reader = answer.body?.getReader()
    const first = await reader?.read()
    expect(new TextDecoder().decode(first?.value)).toBe('data: 1\n\n')
    gone.abort()
    await disconnected.promise
  })

  test('a large response passes whole, and a slow client slows the function down', async () => {
    const [chunk, chunks] = [Buffer.alloc(64 * 1024, 'x'), 1024]
    let sent = 0
    const large: RequestListener = async (_, res) => {
      for (; sent < chunks; sent++) if (!res.write(chunk)) await new Promise((resolve) => res.once('drain', resolve))
      res.end()
    }
    const server = urlOf(await serve(large))
    const answer = await fetch(await gate(server, server))
    const reader = answer.body?.getReader()
    let received = (await reader?.read())?.value?.length ?? 0
    for (let before = -1; before !== sent; await setTimeout(200)) before = sent
    expect(sent).toBeLessThan(chunks)
    for (;;) {
      const next = await reader?.read()
      if (!next || next.done) break
      received += next.value.length
    }
    expect(received).toBe(chunks * chunk.length)
  })

  test('the gateway keeps its connections to a function', async () => {
    const server = await serve(echo('query'))
    let connections = 0
    server.on('connection', () => connections++)
    const url = await gate(urlOf(server), urlOf(server))
    for (let n = 0; n < 20; n++) await (await fetch(url)).text()
    expect(connections).toBeLessThan(5)
  })
})

interface Echo {
  headers: Record<string, string>
}
