import { Validator } from '@seriousme/openapi-schema-validator'
import { beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { RouteEntry } from '#core/request.ts'
import type { AppendDomain, Fields } from '#domains/domain.ts'
import { descriptions } from '#functions/describe/descriptions.ts'
import { openapi } from '#functions/describe/openapi.ts'
import { type PublisherParts, publisher } from '#functions/publish/publisher.ts'
import { type QuerierParts, querier } from '#functions/query/querier.ts'
import { findDomains } from '#main/find-domains.ts'

/** The routes of every router. */
const routed: RouteEntry<unknown>[] = []
vi.mock('#core/request.ts', async (original) => {
  const { router, ...rest } = await original<typeof import('#core/request.ts')>()
  return {
    ...rest,
    router(entries: RouteEntry<unknown>[]) {
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
  const described = descriptions({ domains, faults: true, anonymousScopes: new Set() })
  querier({ domains, faults: true, descriptions: described } as unknown as QuerierParts)
})

/** The description of a domain with scopes, of which anonymous callers have one. */
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
      answers: 'composed',
      path: '/api/mine',
      scope: 'notes:read',
      organisation: () => 'a',
      touches: () => [],
      answer: () => 1,
    },
    { answers: 'total', path: '/api/all', total: () => '0' },
    { answers: 'total', path: '/api/all/parts', item: z.object({ words: z.int() }), total: () => '{"words":0}' },
    {
      answers: 'one',
      path: '/api/open/{id}',
      params: z.object({ id: z.uuid(), loud: z.boolean().optional() }),
      shape: () => ({}),
    },
  ],
} as const satisfies AppendDomain

test('an independent validator finds no error, and every reference resolves', async () => {
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

test('exactly the routes of publish and query are described', () => {
  const routes = new Set(routed.map(({ method, path }) => `${method} ${path}`))
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(operations.sort()).toEqual([...routes].sort())
})

test('a total with a schema is read like any other answer, and one without as an integer of any size', () => {
  const { paths, components } = openapi([guarded], { faults: false, open: new Set() })
  const $ref = '#/components/schemas/notes.getApiAllParts.item'
  expect(paths['/api/all']?.get).toMatchObject({ 'x-answers': 'total' })
  expect(paths['/api/all/parts']?.get).toMatchObject({
    'x-answers': 'composed',
    responses: { 200: { content: { 'application/json': { schema: { $ref } } } } },
  })
  expect(components.schemas).toMatchObject({
    'notes.getApiAllParts.item': { properties: { words: { type: 'integer' } } },
  })
})

test('a route that fails on purpose is described where it exists', () => {
  expect(Object.keys(described(false).paths)).not.toContain('/api/final/error')
  expect(Object.keys(document.paths)).toContain('/api/final/error')
})

test('names are unique, and their parts are JavaScript names', () => {
  const names = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods) as { operationId?: string }[])
    .map(({ operationId = 'a name is missing' }) => operationId)
  expect(names).toEqual(expect.arrayContaining(['tutorials.publish', 'tutorials.list', 'sums.add', 'sums.total']))
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)*$/)
})

test('a route that needs a token is described with the token and the refusals', () => {
  const { paths } = openapi([guarded], { faults: false, open: new Set(['notes:read']) })
  expect(paths['/api/notes']?.post).toMatchObject({
    security: [{ bearer: ['notes:write'] }],
    responses: { 401: {}, 403: {} },
  })
  expect(paths['/api/notes/{id}']?.get).toMatchObject({ security: [{}, { bearer: ['notes:read'] }] })
  expect(paths['/api/mine']?.get).toMatchObject({ security: [{ bearer: ['notes:read'] }] })
  expect(paths['/api/all']?.get).toMatchObject({ security: [] })
  expect(paths['/api/open/{id}']?.get).toMatchObject({ security: [{}, { bearer: [] }] })
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { security }] of Object.entries(methods as { [method: string]: { security?: object[] } })) {
      expect(security, `${method} ${path}`).toBeInstanceOf(Array)
    }
  }
  expect(document.paths['/docs']?.get).toMatchObject({ security: [] })
  expect(document.paths['/api/receipts/{receipt}']?.get).toMatchObject({ security: [] })
  for (const operation of [document.paths['/']?.post, document.paths['/api/overview']?.get]) {
    expect(operation).toMatchObject({ security: [{}, { bearer: [] }] })
  }
})

test('the parameters of a single document are described, in the path and in the query string', () => {
  const { paths } = openapi([guarded], { faults: false, open: new Set() })
  const parameters = [
    { name: 'id', in: 'path', required: true, schema: { format: 'uuid' } },
    { name: 'loud', in: 'query', required: false },
    { $ref: '#/components/parameters/after' },
    { $ref: '#/components/parameters/If-None-Match' },
  ]
  expect(paths['/api/open/{id}']?.get).toMatchObject({ parameters })
})

test('the description of a date says which offsets its schema accepts', () => {
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

test('a text route takes text of any type', () => {
  const taken = document.paths['/api/publish']?.post as { requestBody: { content: object } }
  expect(taken.requestBody.content).toMatchObject({ 'text/plain': {}, '*/*': { schema: { type: 'string' } } })
})

test('the description names the site', () => {
  expect(document.servers).toEqual([{ url: '/', description: 'This site' }])
})

test('the description of a body names the checks before any handler', () => {
  const { schemas } = document.components
  expect(schemas['letters.redrive']).toMatchObject({ minProperties: 1, additionalProperties: false })
  const { attributes } = { ...(schemas['logs.write']?.properties as { attributes?: object } | undefined) }
  expect(attributes).toMatchObject({
    maxProperties: 32,
    propertyNames: { pattern: '^[\\w.-]{1,64}$' },
    additionalProperties: { anyOf: expect.arrayContaining([{ type: 'string', maxLength: 1000 }]) },
  })
})

test('the description of a list parameter says how its items are written', () => {
  type Listed = { parameters: { schema: { pattern: string } }[] } | undefined
  const listed = document.paths['/api/forum/votes']?.get as Listed
  const pattern = new RegExp(String(listed?.parameters[0]?.schema.pattern))
  const params = domains
    .flatMap(({ queries }) => [...queries])
    .flatMap((query) => (query.path === '/api/forum/votes' && 'params' in query ? (query.params ?? []) : []))
  const many = (count: number) => Array.from({ length: count }, (_, at) => `post-${at}`).join(',')
  for (const posts of ['a', 'a,b', many(100), '', ',', 'a,', 'a b', 'ü', many(101), 'x'.repeat(65)]) {
    expect(pattern.test(posts), posts).toBe(params[0]?.safeParse({ posts }).success)
  }
})

test('a body whose members are also in the path requires only the other members', () => {
  const data = z
    .strictObject({ noteId: z.string(), text: z.string().optional(), colour: z.string().optional() })
    .refine((all) => Object.keys(all).length > 1)
    .meta({ minProperties: 2 })
  const route = { method: 'PATCH', path: '/api/notes/{noteId}', body: 'json' } as const
  const command = { ...guarded.commands['notes.write'], data: data as z.ZodType<Fields>, routes: [route] }
  const { paths } = openapi([{ ...guarded, commands: { 'notes.write': command } }], { faults: false, open: new Set() })
  const patched = paths['/api/notes/{noteId}']?.patch as { requestBody: { content: object } } | undefined
  expect(patched?.requestBody.content).toEqual({
    'application/json': {
      schema: {
        type: 'object',
        properties: { text: { type: 'string' }, colour: { type: 'string' } },
        required: [],
        minProperties: 1,
        additionalProperties: false,
      },
    },
  })
})

test('a route with a query string describes each member in both places, and requires neither', () => {
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

test('a numbered page is described with both answers, its orders and its limit', () => {
  const { parameters, responses } = (document.paths['/api/forum/threads']?.get ?? {}) as {
    parameters: { name: string; schema: object }[]
    responses: { [status: string]: { content: { 'application/json': { schema: object } } } }
  }
  const schemaOf = (name: string) => parameters.find((parameter) => parameter.name === name)?.schema
  expect(schemaOf('page')).toMatchObject({ type: 'integer', minimum: 0 })
  expect(schemaOf('size')).toMatchObject({ type: 'integer', minimum: 1, maximum: 1000 })
  expect(schemaOf('sort')).toMatchObject({
    enum: expect.arrayContaining(['changedAt', 'changedAt,asc', 'changedAt,desc']),
  })
  expect(responses[422]).toBeDefined()
  expect(responses[200]?.content['application/json'].schema).toMatchObject({
    oneOf: [{ required: ['items', 'next'] }, { required: expect.arrayContaining(['items', 'total', 'totalPages']) }],
  })
  const tutorials = JSON.stringify(document.paths['/api/tutorials']?.get)
  for (const word of ['totalPages', '"sort"']) expect(tutorials).not.toContain(word)
})

test('a new domain is described without further changes', () => {
  const { paths } = openapi([guarded], { faults: false, open: new Set() })
  expect(paths['/api/notes/{id}']).toMatchObject({ get: { tags: ['notes'], 'x-answers': 'one' } })
})
