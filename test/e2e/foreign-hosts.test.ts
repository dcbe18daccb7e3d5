import { connect } from 'node:http2'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { discard, type Mill, startMill } from '../mill.ts'
import { rawSocket } from '../socket.ts'

let mill: Mill
let port: number

beforeAll(async () => {
  mill = await startMill({
    pair: inject('pair'),
    env: { ...inject('issuer').env, ALLOWED_HOSTS: 'mill.test,[fd00::1]' },
  })
  port = Number(new URL(mill.publish).port)
}, 60_000)

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

interface RawRequest {
  host: string
  origin?: string
  type?: string
  body?: string
}

/** Sends a request as a browser does after DNS rebinding of this name to 127.0.0.1. */
async function ask(method: string, path: string, { host, origin, type = 'application/json', body = '' }: RawRequest) {
  const socket = await rawSocket(port)
  const fields = [`host: ${host}`, ...(origin === undefined ? [] : [`origin: ${origin}`]), `content-type: ${type}`]
  const length = Buffer.byteLength(body)
  socket.send(
    `${method} ${path} HTTP/1.1\r\n${fields.join('\r\n')}\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`,
  )
  const answer = await socket.closed()
  const [head = '', ...rest] = answer.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head, text: rest.join('\r\n\r\n') }
}

const FORM = 'application/x-www-form-urlencoded'
const TOKEN = 'grant_type=password&client_id=millrace-cli&username=administrator&password=x'
const EVENT = { type: 'application/cloudevents+json', body: '{}' }

const MOUNTS: [mount: string, method: string, path: string, more: Partial<RawRequest>][] = [
  ['query', 'GET', '/api/tutorials', {}],
  ['query', 'GET', '/docs', {}],
  ['query', 'GET', '/nothing', {}],
  ['publish', 'POST', '/api/tutorials', { body: '{"title":"a"}' }],
  ['publish', 'POST', '/api/publish', { type: 'text/plain', body: 'a' }],
  ['publish', 'OPTIONS', '/api/tutorials', {}],
  ['persist', 'POST', '/persist', EVENT],
  ['sink', 'POST', '/sinks/dead-letters', EVENT],
  ['issuer', 'POST', '/oidc/token', { type: FORM, body: TOKEN }],
  ['issuer', 'GET', '/oidc/.well-known/openid-configuration', {}],
  ['metrics', 'GET', '/metrics', {}],
  ['health', 'GET', '/health/live', {}],
  ['health', 'GET', '/health/ready', {}],
  ['health', 'GET', '/health/deep', {}],
]
const FOREIGN = [
  'evil.example',
  'EVIL.example:80',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'evil.example@localhost',
  'localhost@evil.example',
  'localhost:x',
  'localhost.',
  '[::2]',
  '10.0.0.1',
  '',
]

test.each(MOUNTS)(
  '%s: %s %s gives nothing to a page whose host name was rebound to this machine',
  async (_, method, path, more) => {
    for (const host of [...FOREIGN, `evil.example:${port}`]) {
      const { status, head, text } = await ask(method, path, { host, ...more })
      expect(status, host).toBe(421)
      expect(head, host).toContain('application/problem+json')
      expect(JSON.parse(text), host).toMatchObject({ status: 421, detail: expect.stringContaining('ALLOWED_HOSTS') })
    }
  },
)

test.each(['localhost', 'LOCALHOST', '127.0.0.1', '[::1]', 'mill.test', '[fd00::1]'])(
  '%s is a name of this machine, with or without a port',
  async (name) => {
    for (const host of [name, `${name}:${port}`]) {
      expect((await ask('GET', '/health/ready', { host })).status).toBe(200)
    }
  },
)

const WRITES = MOUNTS.filter(([, method]) => method === 'POST')
const FOREIGN_ORIGINS = [
  'https://evil.example',
  'http://localhost.evil.example',
  'null',
  '',
  'file://',
  'http://localhost:x',
]

test.each(WRITES)('%s: %s %s accepts nothing from a page of another site', async (_, method, path, more) => {
  for (const origin of FOREIGN_ORIGINS) {
    const { status, text } = await ask(method, path, { host: `localhost:${port}`, origin, ...more })
    expect(status, origin).toBe(403)
    expect(JSON.parse(text)).toMatchObject({ title: 'Foreign origin' })
  }
})

test('a page of this machine may write, and gets a token', async () => {
  const own = { host: `localhost:${port}`, origin: 'http://localhost:3000' }
  expect((await ask('POST', '/api/tutorials', { ...own, body: '{"title":"a"}' })).status).toBe(202)
  const token = await ask('POST', '/oidc/token', { ...own, type: FORM, body: TOKEN })
  expect([token.status, token.text]).toEqual([200, expect.stringContaining('access_token')])
  const read = await ask('GET', '/api/tutorials', { ...own, origin: 'https://evil.example' })
  expect([read.status, read.head.toLowerCase()]).toEqual([200, expect.not.stringContaining('access-control')])
})

/** Makes a gRPC call with this authority. Resolves with its status, and with true if a message arrived. */
const call = (authority: string, path: string) =>
  new Promise<string>((resolve, reject) => {
    const session = connect(`http://${mill.grpc}`)
    session.on('error', reject)
    const headers = { 'content-type': 'application/grpc', te: 'trailers', ':method': 'POST', ':path': path }
    const stream = session.request({ ...headers, ':authority': authority })
    let status: string | undefined
    let received = 0
    const note = (fields: object) => (status ??= (fields as { 'grpc-status'?: string })['grpc-status'])
    stream.on('response', note).on('trailers', note)
    stream.on('data', (chunk: Buffer) => (received += chunk.length))
    stream.on('error', reject)
    stream.on('close', () => {
      session.close()
      resolve(`${status}, ${received > 0 ? 'with' : 'without'} a message`)
    })
    stream.end(Buffer.alloc(5))
  })

const OK = '0, with a message'
const DENIED = '7, without a message'

test('gRPC checks the authority', async () => {
  for (const path of ['/grpc.health.v1.Health/Check', '/SumService/AddNumbers']) {
    for (const authority of FOREIGN.filter((host) => /^[^@]+$/.test(host)))
      expect(await call(authority, path), authority).toBe(DENIED)
    for (const authority of ['localhost:50051', mill.grpc, 'mill.test']) expect(await call(authority, path)).toBe(OK)
  }
  const reflection = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'
  expect(await call('evil.example', reflection)).toBe(DENIED)
})
