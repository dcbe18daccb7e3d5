import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openapi } from '#functions/describe/openapi.ts'
import { findDomains } from '#main/find-domains.ts'

const page = readFileSync('docs/old-clients.md', 'utf8')
const { paths } = openapi(await findDomains(), { faults: true, open: new Set() })

/** The routes that the page names, as `METHOD /path?parameter=`. */
const named = [...page.matchAll(/`(GET|POST|PUT|PATCH|DELETE) ([^`?]+)(\?[^`]*)?`/g)].map(
  ([, method = '', path = '', query]) => ({
    method: method.toLowerCase(),
    path,
    parameters: [...new URLSearchParams(query ?? '').keys()],
  }),
)

test.each(named)('docs/old-clients.md: $method $path exists with its parameters', ({ method, path, parameters }) => {
  const operation = paths[path]?.[method] as { parameters: { name?: string }[] } | undefined
  expect(operation).toBeDefined()
  expect(operation?.parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(parameters))
})

test('docs/old-clients.md names every way to change the forum', () => {
  const commands = Object.entries(paths)
    .filter(([path]) => path.startsWith('/api/forum/'))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
    .filter((route) => !route.startsWith('get ') && !/(moderators|bans)\/\{accountId\}$/.test(route))
  expect(commands.length).toBeGreaterThan(10)
  expect(named.map(({ method, path }) => `${method} ${path}`)).toEqual(expect.arrayContaining(commands))
})
