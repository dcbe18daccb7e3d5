import type { Domain } from '#domains/domain.ts'

/** Returns a function from one of the issuer's roles to the scopes that it grants in all domains. */
export function rolesOf(domains: Pick<Domain, 'roles'>[]): (role: string) => Set<string> {
  const grants = Map.groupBy(
    domains.flatMap(({ roles = {} }) => Object.entries(roles)),
    ([role]) => role,
  )
  return (role) => new Set(grants.get(role)?.flatMap(([, scopes]) => scopes))
}

/** The caller's scopes that a domain's rules may check. */
export function scopesIn({ kind, roles = {} }: Pick<Domain, 'kind' | 'roles'>, scopes: ReadonlySet<string>): string[] {
  if (kind === 'append') return []
  return [...new Set(Object.values(roles).flat())].filter((scope) => scopes.has(scope))
}
