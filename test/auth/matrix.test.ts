import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readPaths } from '#core/registry.ts'
import { openapi } from '#functions/describe/openapi.ts'
import { people } from '#local/issuer/people.ts'
import { findDomains } from '#main/find-domains.ts'
import { discard, type Mill, send, startMill } from '../mill.ts'
import { sealOf } from '../trust.ts'
import { forumRequests } from './forum.ts'
import { tokensOf } from './grant.ts'
import matrix from './matrix.json' with { type: 'json' }
import { type MatrixRequest, requests } from './requests.ts'

/** Compares the matrix with the responses of a running mill to requests of everybody to every route, with real tokens. */
const domains = await findDomains()
const rows = Object.entries(matrix.rows)
const routeOf = (row: string): string => row.split(' ', 2).join(' ')

let mill: Mill
let requestsByRow: { [row: string]: MatrixRequest | ((person: string) => MatrixRequest) }
let tokens: Map<string, string>

beforeAll(async () => {
  mill = await startMill({ pair: inject('pair'), env: { FAULT_ROUTES: 'on', ...inject('issuer').env } })
  tokens = await tokensOf(inject('issuer').url ?? `${mill.publish}/oidc`, Object.keys(people))
  const made = await send(`${mill.publish}/api/tutorials`, { title: 'It turns' }, { prefer: 'wait=20' })
  const { id: tutorial, receipt } = (await made.json()) as { id: string; receipt: string }
  const letter = `letter-${crypto.randomUUID()}`
  const delivery = { 'ce-specversion': '1.0', 'ce-id': letter, 'ce-source': '/test', 'ce-type': 'nobody.knows' }
  const seal = { 'ce-seal': sealOf(letter, 'nobody.knows', '{}') }
  const place = { 'ce-knativekafkapartition': '0', 'ce-knativekafkaoffset': '0', 'ce-time': new Date().toISOString() }
  await send(mill.persist, {}, { ...delivery, ...seal, ...place })
  requestsByRow = { ...requests({ tutorial, receipt, letter }), ...(await forumRequests(mill.publish, tokens)) }
}, 120_000)

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

test('every route has a row, with a status for everybody', () => {
  const described = Object.entries(openapi(domains, { faults: true, open: new Set() }).paths)
  const routes = [
    ...described.flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)),
    ...readPaths(domains).map((path) => `GET ${path}`),
    ...domains
      .flatMap(({ commands }) => Object.values(commands))
      .flatMap(({ routes }) => routes.map(({ method, path }) => `${method} ${path}`)),
  ]
  expect(new Set(rows.map(([row]) => routeOf(row)))).toEqual(new Set(routes))
  expect(matrix.people).toEqual(expect.arrayContaining(['anonymous', 'member', 'administrator', 'reader', 'writer']))
  for (const [row, statuses] of rows) expect(statuses, row).toHaveLength(matrix.people.length)
})

test.each(rows)('%s', async (row, statuses) => {
  const [method, path = ''] = row.split(' ')
  const request = requestsByRow[row] ?? { path }
  const requestOf = (person: string) => (typeof request === 'function' ? request(person) : request)
  for (const person of matrix.people) expect(requestOf(person).path).not.toContain('{')
  const answers = await Promise.all(matrix.people.map((person) => statusOf(String(method), requestOf(person), person)))
  expect(byPerson(answers)).toEqual(byPerson(statuses))
})

const byPerson = (statuses: number[]) => Object.fromEntries(matrix.people.map((person, at) => [person, statuses[at]]))

async function statusOf(method: string, { path, body, headers }: MatrixRequest, person: string): Promise<number> {
  const token = tokens.get(person)
  const own = {
    'content-type': 'application/json',
    prefer: 'wait=20',
    ...headers,
    'idempotency-key': crypto.randomUUID(),
  }
  const answer = await fetch((method === 'GET' ? mill.query : mill.publish) + path, {
    method,
    headers: { ...own, ...(token ? { authorization: `Bearer ${token}` } : {}) },
    ...(body === undefined ? {} : { body }),
  })
  await answer.body?.cancel()
  return answer.status
}

test.each(['x', 'e30.e30.e30'])(
  'the invalid token %s is refused everywhere, also where none is needed',
  async (bad) => {
    const headers = { authorization: `Bearer ${bad}` }
    for (const path of ['/api/tutorials', '/api/final', '/openapi.json']) {
      const answer = await fetch(mill.query + path, { headers })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
    }
    expect((await send(`${mill.publish}/api/tutorials`, { title: 'It turns' }, headers)).status).toBe(401)
  },
)

test('a token of another issuer is refused, whatever it contains', async () => {
  const [head = '', body = '', signature = ''] = String(tokens.get('member')).split('.')
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
  const more = Buffer.from(JSON.stringify({ ...claims, roles: ['administrator'] })).toString('base64url')
  for (const forged of [`${head}.${more}.${signature}`, `${head}.${more}.`]) {
    const answer = await fetch(`${mill.query}/api/letters`, { headers: { authorization: `Bearer ${forged}` } })
    expect(answer.status).toBe(401)
  }
})
