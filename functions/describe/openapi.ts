import type { Domain } from '#domains/domain.ts'
import about from '../../package.json' with { type: 'json' }
import { commandOperations } from './commands.ts'
import { core } from './core.ts'
import { eventOperation } from './event.ts'
import { guard, securitySchemes } from './guard.ts'
import type { Operation } from './operation.ts'
import { components } from './parts.ts'
import { type Described, queryOperation } from './queries.ts'
import { own } from './routes.ts'
import { schemasIn } from './schemas.ts'

export const { version } = about

export interface DescriptionParts {
  /** Whether queries that fail on purpose are there. */
  faults: boolean
  /** What callers without a token may. */
  open: ReadonlySet<string>
}

/** What publish and query take and answer, as OpenAPI 3.1, from the domains' declarations. */
export function openapi(domains: Domain[], { faults, open }: DescriptionParts) {
  const schemas = schemasIn('draft-2020-12')
  const parts = components(schemas)
  const asked = (query: Described, tag: string) => guard(queryOperation(query, tag, schemas), query, open)
  const operations = [
    ...domains.flatMap((domain) => [
      ...Object.entries(domain.commands).flatMap(([type, command]) =>
        commandOperations(domain, type, command, schemas).map((operation) => guard(operation, command, open)),
      ),
      ...domain.queries
        .filter(({ answers }) => answers !== 'fault' || faults)
        .map((query) => asked(query, domain.name)),
    ]),
    ...core.map((query) => asked(query, '')),
    eventOperation(domains, schemas),
    ...own,
  ]
  return {
    openapi: '3.1.1',
    info: {
      title: 'Millrace',
      version,
      description:
        'Commands in, views out, nothing lost. A command is answered once the log has it; its receipt tells the outcome.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This site' }],
    tags: [...new Set(operations.flatMap(({ tags }) => tags))].map((name) => ({ name })),
    paths: pathsOf(operations),
    components: { schemas: schemas.all, securitySchemes, ...parts },
  }
}

function pathsOf(operations: Operation[]): { [path: string]: { [method: string]: object } } {
  const paths: { [path: string]: { [method: string]: object } } = {}
  for (const { path, method, ...operation } of operations) {
    paths[path] = { ...paths[path], [method]: operation }
  }
  return paths
}
