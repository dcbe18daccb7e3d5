import { followedCollection } from '#core/registry.ts'
import type { Domain } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import about from '../../package.json' with { type: 'json' }
import { commandOperations } from './command-operations.ts'
import { components } from './components.ts'
import { coreQueries } from './core-queries.ts'
import { descriptionOperations } from './description-operations.ts'
import { eventOperation } from './event-operation.ts'
import { guard, securitySchemes } from './guard.ts'
import type { Operation } from './operation.ts'
import { type QueryDescription, queryOperation } from './query-operations.ts'
import { schemasIn } from './schemas.ts'

export const { version } = about

export interface OpenApiOptions {
  /** True to include the queries that fail on purpose. */
  faults: boolean
  /** The scopes of callers without a token. */
  open: ReadonlySet<string>
}

/** The routes of publish and query as OpenAPI 3.1, from the declarations of the domains. */
export function openapi(domains: Domain[], { faults, open }: OpenApiOptions) {
  const schemas = schemasIn('draft-2020-12')
  const parts = components(schemas)
  const readOperation = (query: QueryDescription, tag: string) =>
    guard(queryOperation(query, tag, schemas), query, open)
  const operations = [
    ...domains.flatMap((domain) => [
      ...Object.entries(domain.commands).flatMap(([type, command]) =>
        commandOperations(domain, type, command, schemas).map((operation) => guard(operation, command, open)),
      ),
      ...domain.queries
        .filter(({ answers }) => answers !== 'fault' || faults)
        .map((query) => readOperation({ ...query, ...traitsOf(domain, query) }, domain.name)),
    ]),
    ...coreQueries.map((query) => readOperation(query, '')),
    eventOperation(domains, schemas),
    ...descriptionOperations,
  ]
  return {
    openapi: '3.1.1',
    info: {
      title: 'Millrace',
      version,
      description:
        'Commands in, answers out, nothing lost. publish acknowledges a command once it is durable. The receipt has its outcome.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This site' }],
    tags: [...new Set(operations.flatMap(({ tags }) => tags))].map((name) => ({ name })),
    paths: pathsOf(operations),
    components: { schemas: schemas.all, securitySchemes, ...parts },
  }
}

const traitsOf = (domain: Domain, query: Query) => ({
  isPersonal: mayUseCaller(query),
  isLiveList: followedCollection(domain, query) !== undefined,
})

const mayUseCaller = ({ answers }: Query): boolean => answers !== 'total' && answers !== 'fault'

function pathsOf(operations: Operation[]): { [path: string]: { [method: string]: object } } {
  const paths: { [path: string]: { [method: string]: object } } = {}
  for (const { path, method, ...operation } of operations) {
    paths[path] = { ...paths[path], [method]: operation }
  }
  return paths
}
