import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { rawCall } from '../grpc.ts'
import { discard, eventually, expectProblem, type Mill, startMill } from '../mill.ts'
import { rawSocket } from '../socket.ts'

describe.each(inject('servings'))('on the %s', (serving) => {
  let mill: Mill
  beforeAll(async () => {
    const env = { ANONYMOUS_SCOPES: 'tutorials:read tutorials:write sums:write logs:read logs:write logs:all' }
    mill = await startMill({ pair: inject('pair'), serving, env })
  }, 60_000)
  afterAll(async () => {
    await mill?.stop()
    if (mill) discard(mill)
  })

  const post = (path: string, body: string | Buffer<ArrayBuffer>, headers: Record<string, string>) =>
    fetch(mill.publish + path, { method: 'POST', body, headers })
  const json = { 'content-type': 'application/json' }

  /** Sends raw bytes that no client would send. Resolves with everything received. */
  async function raw(request: string): Promise<string> {
    const socket = await rawSocket(Number(new URL(mill.publish).port))
    socket.send(request)
    return await socket.closed()
  }

  test.each([
    ['/api/tutorials', 'application/json', 1024 * 1024],
    ['/api/publish', 'text/plain', 1024 * 1024],
    ['/', 'application/cloudevents+json', 1024 * 1024],
    ['/api/logs', 'application/x-ndjson', 8 * 1024 * 1024],
  ])('a body of %s (%s) of more than %i bytes is 413', async (path, type, bytes) => {
    const body = `${' '.repeat(bytes - 1)}{}`
    const problem = await expectProblem(await post(path, body, { 'content-type': type }), 413)
    expect(problem.detail).toBe(`The body is larger than ${bytes} bytes.`)
  })

  test.each(['/api/tutorials', '/api/publish', '/'])('a compressed body of %s is 415', async (path) => {
    const headers = { ...json, 'content-encoding': 'gzip' }
    const answer = await post(path, gzipSync('{"title":"a"}'), headers)
    expect(answer.headers.get('accept-encoding')).toBe('identity')
    await expectProblem(answer, 415)
  })

  test('a body of another type is 415', async () => {
    await expectProblem(await post('/api/tutorials', 'title=a', { 'content-type': 'text/csv' }), 415)
    await expectProblem(
      await post('/api/tutorials', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
    )
  })

  test('a request for two hosts is 400', async () => {
    const received = await raw('GET /api/tutorials HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n')
    expect(received).toMatch(/^HTTP\/1\.1 400 [\s\S]*content-type: application\/problem\+json/)
  })

  test('an expectation other than 100-continue is 417', async () => {
    const head =
      'POST /api/publish HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: more\r\ncontent-length: 0\r\n\r\n'
    const received = await raw(head)
    expect(received).toMatch(/^HTTP\/1\.1 417 /)
    // The framework responds before any problem can be written.
    if (serving !== 'framework') expect(received).toContain('content-type: application/problem+json')
  })

  test.each([
    ['bytes of Latin-1', 'sch\u00f6n'],
    ['bytes of UTF-8', Buffer.from('schön').toString('latin1')],
  ])('an Idempotency-Key in %s is 400 for every command', async (_, key) => {
    const sum = '{"firstNumber":1,"secondNumber":2,"requestId":"mine"}'
    const event = `{"specversion":"1.0","id":"1","source":"/s","type":"sums.add","data":${sum}}`
    const log = '[{"organizationId":"a","level":"info","message":"m","service":"s"}]'
    for (const [path, type, body] of [
      ['/api/tutorials', 'application/json', '{"title":"a"}'],
      ['/api/sums', 'application/json', sum],
      ['/', 'application/cloudevents+json', event],
      ['/api/logs', 'application/json', log],
      ['/api/publish', 'text/plain', 'a'],
    ] as const) {
      await expectProblem(await post(path, body, { 'content-type': type, 'idempotency-key': key }), 400)
    }
    if (serving === 'framework') return
    const { headers } = await rawCall(mill.grpc, '/SumService/AddNumbers', Buffer.alloc(0), { 'idempotency-key': key })
    expect(headers['grpc-status']).toBe('3')
    expect(headers['grpc-message']).toContain('Idempotency-Key')
  })

  test('a bare title may have any text type, also that of curl -d, and a form is not decoded', async () => {
    const name = crypto.randomUUID().slice(0, 8)
    const titles: [type: string | undefined, body: string | Buffer<ArrayBuffer>, title: string][] = [
      ['application/x-www-form-urlencoded', `Learn+to%20mill&a=${name}`, `Learn+to%20mill&a=${name}`],
      ['text/html', `<b>${name}</b>`, `<b>${name}</b>`],
      ['text/plain; charset=iso-8859-1', Buffer.from(`Grüße ${name}`, 'latin1'), `Grüße ${name}`],
      [undefined, Buffer.from(`Ohne Typ ${name}`), `Ohne Typ ${name}`],
    ]
    for (const [type, body] of titles) {
      const answer = await post('/api/publish', body, type === undefined ? {} : { 'content-type': type })
      expect([answer.status, await answer.text()]).toEqual([200, 'Tutorial published.'])
    }
    await eventually(async () => {
      const all = (await (await fetch(`${mill.query}/api/test`)).json()) as { title: string }[]
      const found = all.map(({ title }) => title).filter((title) => title.includes(name))
      expect(found.sort()).toEqual(titles.map(([, , title]) => title).sort())
    })
  })

  test('broken JSON is 400', async () => {
    const answer = await post('/api/tutorials', '{', json)
    // The framework parses the body before the function runs.
    if (serving === 'framework') expect([answer.status, answer.headers.get('content-type')]).toEqual([400, HTML])
    else await expectProblem(answer, 400)
  })

  test('an unknown charset is 415', async () => {
    const answer = await post('/api/publish', 'a', { 'content-type': 'text/plain; charset=klingon' })
    if (serving === 'framework') expect([answer.status, answer.headers.get('content-type')]).toEqual([415, HTML])
    else await expectProblem(answer, 415)
  })
})

const HTML = 'text/html; charset=utf-8'
