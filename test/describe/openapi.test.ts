import { Validator } from '@seriousme/openapi-schema-validator'
import { beforeAll, expect, test, vi } from 'vitest'
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
const described = (faults: boolean) => openapi(domains, { faults })
const document = described(true)

beforeAll(() => {
  publisher({ domains } as unknown as PublisherParts)
  querier({ domains, faults: true } as unknown as QuerierParts)
})

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

test('a domain that is added is described without more', () => {
  const [first] = domains
  if (!first) throw new Error('there are no domains')
  const notes = {
    ...first,
    name: 'notes',
    commands: {},
    queries: [{ answers: 'one', path: '/api/notes/{id}', shape: () => ({}) }],
  }
  const { paths } = openapi([notes] as unknown as typeof domains, { faults: false })
  expect(paths['/api/notes/{id}']).toMatchObject({ get: { tags: ['notes'], 'x-answers': 'one' } })
})
