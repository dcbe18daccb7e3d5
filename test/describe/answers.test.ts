import { afterAll, beforeAll, expect, test } from 'vitest'
import { authorized } from '../auth/tokens.ts'
import { conforming } from '../conforming.ts'
import { discard, type Mill, startMill } from '../mill.ts'
import { sealOf } from '../trust.ts'

const ALL = ['tutorials', 'sums', 'letters'].flatMap((name) => [`${name}:read`, `${name}:write`]).join(' ')

let mill: Mill
let ask: typeof fetch
let operator: { authorization: string }

beforeAll(async () => {
  mill = await startMill({ pair: 'embedded', env: { FAULT_ROUTES: 'on', ANONYMOUS_SCOPES: ALL } })
  ask = await conforming(mill.query)
  operator = await authorized('administrator')
}, 60_000)

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

const get = (path: string, headers = {}) => ask(mill.query + path, { headers: { ...operator, ...headers } })
const post = (path: string, body: string, headers = {}) =>
  ask(mill.publish + path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...operator, ...headers },
  })
const wait = { prefer: 'wait=15' }

/** The parts that this suite reads. Other domains have suites of their own that use `conforming`. */
const PARTS = ['tutorials', 'sums', 'letters', 'receipts', 'docs']
const LONG = 'a'.repeat(300_000)

/** The commands to send with the expected status, since a description names several for each route. */
const SENT = [
  ['/api/tutorials', '{"title":"a"}', {}, 202],
  ['/api/tutorials', '{"title":"a"}', wait, 201],
  ['/api/tutorials', '{"title":" "}', {}, 422],
  ['/api/tutorials', '{', {}, 400],
  ['/api/tutorials', 'a', { 'content-type': 'text/csv' }, 415],
  ['/api/tutorials', `{"title":"${LONG}"}`, {}, 413],
  ['/api/publish', 'a', { 'content-type': 'text/plain' }, 200],
  ['/api/publish', 'a', { 'content-type': 'application/x-www-form-urlencoded' }, 200],
  ['/api/publish', 'a', { 'content-type': 'text/plain; charset=klingon' }, 415],
  ['/api/publish', '{}', {}, 415],
  ['/api/tutorials', '{"title":1e400}', {}, 400],
  ['/api/tutorials', '{"title":"a"}', { 'content-encoding': 'gzip' }, 415],
  ['/api/sums', '{"firstNumber":1,"secondNumber":2}', {}, 200],
  ['/api/sums', '{"firstNumber":1,"secondNumber":2}', { ...wait, 'if-match': '"7"' }, 412],
  ['/api/letters/redrive', '{"id":"nothing"}', wait, 201],
  ['/api/letters/discard', '{"id":"nothing","reason":"gone"}', wait, 201],
  [
    '/',
    '{"title":"a"}',
    { ...wait, 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/a', 'ce-type': 'tutorials.publish' },
    201,
  ],
  ['/', '{"title":"a"}', {}, 400],
] as const

test.each(SENT)('the response of POST %s to %o (%o) is as described: %i', async (path, body, headers, status) => {
  expect((await post(path, body, headers)).status).toBe(status)
})

test('a key with another body is refused as described', async () => {
  const key = { ...wait, 'idempotency-key': 'one' }
  expect((await post('/api/tutorials', '{"title":"a"}', key)).status).toBe(201)
  expect((await post('/api/tutorials', '{"title":"b"}', key)).status).toBe(409)
})

test('every query answers as described, once there are documents', async () => {
  const made = await post('/api/tutorials', '{"title":"a"}', wait)
  const { id, receipt } = (await made.json()) as { id: string; receipt: string }
  const redrive = await post('/api/letters/redrive', '{"id":"nothing"}', wait)
  const broken = {
    'ce-specversion': '1.0',
    'ce-id': 'x',
    'ce-source': '/a',
    'ce-type': 'nobody.knows',
    'ce-time': new Date().toISOString(),
    'ce-seal': sealOf('x', 'nobody.knows', '{}'),
  }
  const from = { 'ce-knativekafkapartition': '0', 'ce-knativekafkaoffset': '7' }
  await fetch(mill.persist, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json', ...broken, ...from },
  })
  await post('/api/sums', '{"firstNumber":1,"secondNumber":2}', wait)
  const of: { [path: string]: string } = {
    '/api/tutorials/{id}': `/api/tutorials/${id}`,
    '/api/receipts/{receipt}': receipt,
    '/api/letters/{id}': '/api/letters/x',
    '/api/letters/redrives/{id}': String(redrive.headers.get('location')),
    '/docs/{file}': '/docs/start.js',
  }
  const { paths } = (await (await get('/openapi.json')).json()) as {
    paths: { [path: string]: { get?: { tags: string[] } } }
  }
  const tested = Object.keys(paths).filter((path) => PARTS.includes(paths[path]?.get?.tags[0] ?? ''))
  expect(tested.length).toBeGreaterThan(12)
  for (const path of tested) {
    const { status } = await get(of[path] ?? path)
    expect(status, path).toBe(path === '/api/final/error' ? 500 : 200)
    const headers = { accept: 'application/x-ndjson' }
    expect((await get(of[path] ?? path, headers)).status, path).toBe(status)
  }
})

test.each([
  ['/api/tutorials/nothing', 404],
  ['/api/tutorials?limit=1000', 200],
  ['/api/tutorials?limit=1001', 400],
  ['/api/tutorials?limit=1e2', 422],
  ['/api/tutorials?cursor=', 422],
  ['/api/letters?limit=0x10', 422],
  ['/api/final/history?cursor=', 422],
  ['/api/tutorials?cursor=nonsense', 400],
  ['/api/tutorials?after=nonsense', 404],
  ['/docs/nothing', 404],
])('the refusal of GET %s is as described', async (path, status) => {
  expect((await get(path)).status).toBe(status)
})

test('exactly the routes that are described to need a token are refused without one', async () => {
  const closed = await startMill({ pair: 'embedded', env: { ANONYMOUS_SCOPES: 'sums:read' } })
  try {
    const { paths } = (await (await fetch(`${closed.query}/openapi.json`)).json()) as {
      paths: { [path: string]: { [method: string]: { security?: object[] } } }
    }
    const refused: string[] = []
    const described: string[] = []
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { security }] of Object.entries(methods)) {
        const name = `${method} ${path}`
        if (security?.length && security.every((needed) => 'bearer' in needed)) described.push(name)
        const { status, body } = await fetch(closed.query + path, { method: method.toUpperCase() })
        await body?.cancel()
        if (status === 401) refused.push(name)
      }
    }
    expect(refused).toEqual(described)
    expect(refused).toEqual(expect.arrayContaining(['get /api/letters', 'post /api/sums', 'get /api/tutorials']))
    expect(refused).not.toContain('get /api/final')
  } finally {
    await closed.stop()
    discard(closed)
  }
}, 60_000)

test('an unchanged description is 304', async () => {
  for (const path of ['/openapi.json', '/asyncapi.json', '/docs', '/docs/swagger-ui.css']) {
    const etag = (await get(path)).headers.get('etag') ?? ''
    expect((await get(path, { 'if-none-match': etag })).status, path).toBe(304)
  }
})

test('a response that is not as described is detected', async () => {
  const lying = await conforming(mill.query)
  const other = (body: string, init: ResponseInit = {}) => {
    const answer = new Response(body, { headers: { 'content-type': 'application/json' }, ...init })
    const real = globalThis.fetch
    globalThis.fetch = async () => answer
    return lying(`${mill.query}/api/tutorials`).finally(() => (globalThis.fetch = real))
  }
  await expect(other('{"items":[],"next":null}')).resolves.toMatchObject({ status: 200 })
  await expect(other('{"items":[{"id":"a","title":"a"}],"next":null}')).rejects.toThrow('time')
  await expect(
    other('{"items":[{"id":"a","title":"a","time":"2030-01-01T00:00:00Z","more":1}],"next":null}'),
  ).rejects.toThrow('additional')
  await expect(other('{"items":[],"next":null}', { status: 207 })).rejects.toThrow('status')
  await expect(other('[]', { headers: { 'content-type': 'text/csv' } })).rejects.toThrow('text/csv')
})
