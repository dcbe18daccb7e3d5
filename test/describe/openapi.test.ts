import { Validator } from '@seriousme/openapi-schema-validator'
import { beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { AppendDomain, Fields } from '#domains/domain.ts'
import { openapi } from '#functions/describe/openapi.ts'
import { findDomains } from '#functions/find-domains.ts'
import type { PublisherParts } from '#functions/publish/publisher.ts'
import { publisher } from '#functions/publish/publisher.ts'
import { type QuerierParts, querier } from '#functions/query/querier.ts'
import type { Entry } from '#functions/router.ts'

/** What every router was made of. */
const routed: Entry<unknown>[] = []
vi.mock('#functions/router.ts', async (original) => {
  const { router } = await original<typeof import('#functions/router.ts')>()
  return {
    router(entries: Entry<unknown>[]) {
      routed.push(...entries)
      return router(entries)
    },
  }
})

const domains = await findDomains()
const described = (faults: boolean) => openapi(domains, { faults, open: new Set(['tutorials:read']) })
const document = described(true)

beforeAll(() => {
  publisher({ domains } as unknown as PublisherParts)
  querier({ domains, faults: true } as unknown as QuerierParts)
})

/** One of a domain that needs scopes, of which callers without a token have one. */
const guarded = {
  kind: 'append',
  name: 'notes',
  topic: { name: 'notes', partitions: 1 },
  commands: {
    'notes.write': {
      data: z.strictObject({ text: z.string() }),
      scope: 'notes:write',
      stream: () => 'notes',
      routes: [{ method: 'POST', path: '/api/notes', body: 'json' }],
    },
  },
  documents: { collection: { name: 'notes', indexes: {} }, document: () => ({}) },
  queries: [
    { answers: 'one', path: '/api/notes/{id}', scope: 'notes:read', shape: () => ({}) },
    {
      answers: 'view',
      path: '/api/mine',
      scope: 'notes:read',
      organisation: () => 'a',
      touches: () => [],
      answer: () => 1,
    },
    { answers: 'total', path: '/api/all', total: () => '0' },
  ],
} as const satisfies AppendDomain

test('an independent validator finds nothing wrong, and every reference leads somewhere', async () => {
  const validator = new Validator()
  expect(await validator.validate(structuredClone(document))).toMatchObject({ valid: true })
  expect(validator.version).toBe('3.1')
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path)
  expect(references.length).toBeGreaterThan(50)
  for (const path of new Set(references)) {
    const found = path.split('/').reduce<unknown>((part, name) => (part as Record<string, unknown>)?.[name], document)
    expect(found, path).toBeTypeOf('object')
  }
})

test('every route of publish and of query is described, and nothing else is', () => {
  const routes = new Set(routed.map(({ method, path }) => `${method} ${path}`))
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(operations.sort()).toEqual([...routes].sort())
})

test('what fails on purpose is described where it is there', () => {
  expect(Object.keys(described(false).paths)).not.toContain('/api/final/error')
  expect(Object.keys(document.paths)).toContain('/api/final/error')
})

test('names are unique, and the parts of each are names of JavaScript', () => {
  const names = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods) as { operationId?: string }[])
    .flatMap(({ operationId }) => operationId ?? [])
  expect(names).toEqual(expect.arrayContaining(['tutorials.publish', 'tutorials.list', 'sums.add', 'sums.total']))
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)*$/)
})

test('what needs a token is described to need one, and how it is refused', () => {
  const { paths } = openapi([guarded], { faults: false, open: new Set(['notes:read']) })
  expect(paths['/api/notes']?.post).toMatchObject({
    security: [{ bearer: ['notes:write'] }],
    responses: { 401: {}, 403: {} },
  })
  expect(paths['/api/notes/{id}']?.get).toMatchObject({ security: [{}, { bearer: ['notes:read'] }] })
  expect(paths['/api/mine']?.get).toMatchObject({ security: [{ bearer: ['notes:read'] }] })
  expect(paths['/api/all']?.get).not.toHaveProperty('security')
})

test('of a date it says what zod takes', () => {
  const dates = z.strictObject({ here: z.iso.datetime(), anywhere: z.iso.datetime({ offset: true }) })
  const command = { ...guarded.commands['notes.write'], data: dates as z.ZodType<Fields> }
  const { components } = openapi([{ ...guarded, commands: { 'notes.write': command } }], {
    faults: false,
    open: new Set(),
  })
  expect(components.schemas['notes.write']?.properties).toEqual({
    here: { type: 'string', format: 'date-time', pattern: 'Z$' },
    anywhere: { type: 'string', format: 'date-time' },
  })
})

test('a route that takes a query string is described with both ways to give a member, neither of them required', () => {
  const route = { method: 'DELETE', path: '/api/notes/{author}', body: 'json', query: true } as const
  const data = z.strictObject({ author: z.string(), text: z.string() })
  const command = { ...guarded.commands['notes.write'], data, routes: [route] }
  const { paths } = openapi([{ ...guarded, commands: { 'notes.write': command } }], { faults: false, open: new Set() })
  expect(paths['/api/notes/{author}']?.delete).toMatchObject({
    parameters: expect.arrayContaining([
      { name: 'author', in: 'path', required: true, schema: { type: 'string' } },
      { name: 'text', in: 'query', required: false, schema: { type: 'string' } },
    ]),
    requestBody: {
      required: false,
      content: { 'application/json': { schema: { properties: { text: { type: 'string' } }, required: [] } } },
    },
  })
})

test('a domain that is added is described without more', () => {
  const { paths } = openapi([guarded], { faults: false, open: new Set() })
  expect(paths['/api/notes/{id}']).toMatchObject({ get: { tags: ['notes'], 'x-answers': 'one' } })
})
