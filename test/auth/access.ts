import { existsSync, readFileSync } from 'node:fs'
import { rolesOf } from '#core/access.ts'
import type { Domain } from '#domains/domain.ts'
import { people } from '#local/issuer/people.ts'

/** The statuses that people get, in their order, for each route. A row may end with the case that it is about. */
export interface AccessTable {
  people: string[]
  rows: { [row: string]: number[] }
}

/** The status of a refusal, `allowed`, or `unknown` if the organisation of the data or the parameters decides. */
export type Access = 401 | 403 | 'allowed' | 'unknown'

export const everybody = ['anonymous', ...Object.keys(people)]

export const readTable = (path: string): AccessTable => JSON.parse(readFileSync(path, 'utf8'))

/** The table of a domain that has one. */
export function tableOf({ name }: Domain): AccessTable | undefined {
  const path = `domains/${name}/access.json`
  return existsSync(path) ? readTable(path) : undefined
}

export const routeOf = (row: string): string => row.split(' ', 2).join(' ')

const restrictedRoutes = ({ commands, queries }: Domain) => [
  ...Object.values(commands).flatMap((command) =>
    command.routes.map(({ method, path }) => ({ ...command, route: `${method} ${path}` })),
  ),
  ...queries.map((query) => ({ organisation: undefined, ...query, route: `GET ${query.path}` })),
]

export const routesOf = (domain: Domain): string[] => restrictedRoutes(domain).map(({ route }) => route)

/** Each route of a domain with everybody's access, as the scopes and roles that it declares say. */
export function declaredAccess(
  domain: Domain,
  domains: Domain[],
  openScopes: string[],
): { route: string; access: { [person: string]: Access } }[] {
  const scopesOf = rolesOf(domains)
  const scopes = (person: string) =>
    new Set([...openScopes, ...(people[person]?.roles ?? []).flatMap((role) => [...scopesOf(role)])])
  return restrictedRoutes(domain).map(({ route, scope, organisation }) => {
    const accessOf = (person: string): Access => {
      if (scope !== undefined && !scopes(person).has(scope)) return person === 'anonymous' ? 401 : 403
      return organisation ? 'unknown' : 'allowed'
    }
    return { route, access: Object.fromEntries(everybody.map((person) => [person, accessOf(person)])) }
  })
}
