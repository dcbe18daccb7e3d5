import type { Domain } from '#domains/domain.ts'

/** Which scopes a role of the issuer's brings with it, in all domains. */
export function rolesOf(domains: Pick<Domain, 'roles'>[]): (role: string) => Set<string> {
  const said = Map.groupBy(
    domains.flatMap(({ roles = {} }) => Object.entries(roles)),
    ([role]) => role,
  )
  return (role) => new Set(said.get(role)?.flatMap(([, scopes]) => scopes))
}

/** Those of a caller's scopes that a domain's rules may ask for. */
export function scopesIn({ kind, roles = {} }: Pick<Domain, 'kind' | 'roles'>, scopes: ReadonlySet<string>): string[] {
  if (kind === 'append') return []
  return [...new Set(Object.values(roles).flat())].filter((scope) => scopes.has(scope))
}
