import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import letters from '#core/letters/domain.ts'
import { readPaths } from '#core/registry.ts'
import type { Domain } from '#domains/domain.ts'
import { openapi } from '#functions/describe/openapi.ts'
import { people } from '#local/issuer/people.ts'
import { readConfig } from '#main/config.ts'
import { findDomains } from '#main/find-domains.ts'
import { discard, type Mill, send, startMill } from '../mill.ts'
import { sealOf } from '../trust.ts'
import { type AccessTable, declaredAccess, readTable, routeOf, routesOf, tableOf } from './access.ts'
import { forumRequests } from './forum.ts'
import { tokensOf } from './grant.ts'
import { type MatrixRequest, requests } from './requests.ts'

/**
 * Compares tables that are written by hand with the responses of a running mill to requests of everybody to every route, with real tokens:
 * `test/auth/access.json` has the routes of Millrace itself, and `access.json` beside a domain those of the domain. The routes of a domain
 * without a table are compared with its scopes and roles.
 */
const domains = await findDomains()
const tables = domains.filter((domain) => domain !== letters).map((domain) => ({ domain, table: tableOf(domain) }))
const own = readTable('test/auth/access.json')
const written = [own, ...tables.flatMap(({ table }) => table ?? [])]
const rows = written.flatMap((table) =>
  Object.entries(table.rows).map(([row, statuses]) => [row, table.people, statuses] as const),
)
const declared = (domain: Domain) => declaredAccess(domain, domains, readConfig({}).ANONYMOUS_SCOPES)

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

test('every route of a table has a row with a status for everybody', () => {
  const described = Object.entries(openapi(domains, { faults: true, open: new Set() }).paths)
  const routes = new Set([
    ...described.flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)),
    ...readPaths(domains).map((path) => `GET ${path}`),
  ])
  const ofRows = (table: AccessTable) => new Set(Object.keys(table.rows).map(routeOf))
  for (const { domain, table } of tables) {
    if (table) expect(ofRows(table), domain.name).toEqual(new Set(routesOf(domain)))
    for (const route of routesOf(domain)) routes.delete(route)
  }
  expect(ofRows(own)).toEqual(routes)
  for (const { people, rows } of written) {
    expect(people).toEqual(expect.arrayContaining(['anonymous', 'member', 'administrator', 'reader', 'writer']))
    for (const [row, statuses] of Object.entries(rows)) expect(statuses, row).toHaveLength(people.length)
  }
})

test.each(rows)('%s', async (row, people, statuses) => {
  const [method, path = ''] = row.split(' ')
  const request = requestsByRow[row] ?? { path }
  const requestOf = (person: string) => (typeof request === 'function' ? request(person) : request)
  for (const person of people) expect(requestOf(person).path).not.toContain('{')
  const answers = await Promise.all(people.map((person) => statusOf(String(method), requestOf(person), person)))
  const byPerson = (statuses: number[]) => Object.fromEntries(people.map((person, at) => [person, statuses[at]]))
  expect(byPerson(answers)).toEqual(byPerson(statuses))
})

const withoutTable = tables.flatMap(({ domain, table }) => (table ? [] : declared(domain)))

test.each(withoutTable)('$route admits whom the scopes and roles of its domain admit', async ({ route, access }) => {
  const [method = '', path = ''] = route.split(' ')
  const request = { path: path.replaceAll(/\{\w+\}/g, 'x'), ...(method === 'GET' ? {} : { body: '{}' }) }
  for (const [person, expected] of Object.entries(access)) {
    const status = await statusOf(method, request, person)
    const answered = status === 401 || status === 403 ? status : 'allowed'
    if (expected !== 'unknown') expect({ [person]: answered }).toEqual({ [person]: expected })
  }
})

test.each(tables.flatMap(({ domain, table }) => (table ? [{ name: domain.name, domain, table }] : [])))(
  'what the scopes and roles of $name say agrees with its table',
  ({ domain, table }) => {
    for (const { route, access } of declared(domain)) {
      for (const [row, statuses] of Object.entries(table.rows).filter(([row]) => routeOf(row) === route)) {
        for (const [at, person] of table.people.entries()) {
          const status = statuses[at]
          const answered = status === 401 || status === 403 ? status : 'allowed'
          if (access[person] !== 'unknown')
            expect({ row, [person]: answered }).toEqual({ row, [person]: access[person] })
        }
      }
    }
  },
)

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
