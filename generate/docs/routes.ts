import type { Domain } from '#domains/domain.ts'
import { openapi } from '#functions/describe/openapi.ts'
import { markdownTable } from './table.ts'

/** The members of an OpenAPI operation that the table shows. */
interface Operation {
  tags: string[]
  summary: string
  description?: string
  security: { bearer?: string[] }[]
}

/** All routes with the scope that they need and their effect, a section for each tag of the OpenAPI description. */
export function routesTable(domains: Domain[]): string {
  const { paths, tags } = openapi(domains, { faults: true, open: new Set() })
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
  )
  return tags
    .map(({ name }) => {
      const rows = routes
        .filter(({ operation }) => operation.tags.includes(name))
        .map(({ path, method, operation }) => [
          `\`${method.toUpperCase()} ${path}\``,
          permissionOf(operation),
          effectOf(operation),
        ])
      return `### ${name}\n\n${markdownTable(['Route', 'Who may', 'Effect'], rows)}`
    })
    .join('\n')
}

/** The scopes that a caller needs, or who may use the route without any. */
function permissionOf({ security }: Operation): string {
  const scopes = security.flatMap(({ bearer = [] }) => bearer).map((scope) => `\`${scope}\``)
  if (scopes.length > 0) return scopes.join(', ')
  const needsToken = security.length > 0 && security.every(({ bearer }) => bearer !== undefined)
  return needsToken ? 'any token' : 'everybody'
}

const effectOf = ({ summary, description }: Operation): string =>
  [summary, description].flatMap((text) => (text === undefined ? [] : text.replace(/\.?$/, '.'))).join(' ')
