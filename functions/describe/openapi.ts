import type { Domain } from '#domains/domain.ts'
import about from '../../package.json' with { type: 'json' }
import { commandOperations } from './commands.ts'
import { core } from './core.ts'
import { eventOperation } from './event.ts'
import type { Operation } from './operation.ts'
import { components } from './parts.ts'
import { queryOperation } from './queries.ts'
import { own } from './routes.ts'
import { schemasIn } from './schemas.ts'

export const { version } = about

/** What publish and query take and answer, as OpenAPI 3.1, from the domains' declarations. */
export function openapi(domains: Domain[], { faults }: { faults: boolean }) {
  const schemas = schemasIn('draft-2020-12')
  const parts = components(schemas)
  const operations = [
    ...domains.flatMap((domain) => [
      ...Object.entries(domain.commands).flatMap(([type, command]) =>
        commandOperations(domain, type, command, schemas),
      ),
      ...domain.queries
        .filter(({ answers }) => answers !== 'fault' || faults)
        .map((query) => queryOperation(query, domain.name, schemas)),
    ]),
    ...core.map((query) => queryOperation(query, '', schemas)),
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
    tags: [...new Set(operations.flatMap(({ tags }) => tags))].map((name) => ({ name })),
    paths: pathsOf(operations),
    components: { schemas: schemas.all, ...parts },
  }
}

function pathsOf(operations: Operation[]): { [path: string]: { [method: string]: object } } {
  const paths: { [path: string]: { [method: string]: object } } = {}
  for (const { path, method, ...operation } of operations) {
    paths[path] = { ...paths[path], [method]: operation }
  }
  return paths
}
