import type { Caller, Domain, Fields } from '#domains/domain.ts'
import { ANONYMOUS } from './ids.ts'
import { Problem } from './problem.ts'
import type { Headers } from './request.ts'

/** The scope and organisation that a command type or a query requires of its caller. */
export interface Restriction {
  scope?: string | undefined
  organisation?: ((subject: Fields) => string) | undefined
}

/**
 * Throws 401 for a caller without a token if one is required, and 403 for a token that is not sufficient. The organisation is checked only
 * with a `subject`: the command's data or the query's parameters.
 */
export function authorize({ scope, organisation }: Restriction, caller: Caller, subject?: Fields): void {
  if (scope !== undefined && !caller.scopes.has(scope)) throw denied(caller, `The scope ${scope} is required.`, scope)
  if (!organisation || !subject || caller.scopes.has(allOf(scope))) return
  if (caller.organisation === undefined || caller.organisation !== organisation(subject)) {
    throw denied(caller, 'The caller does not belong to this organisation.')
  }
}

/** The scope that lifts the restriction to an organisation, such as `logs:all` for `logs:read`. */
const allOf = (scope = ''): string => `${scope.split(':', 1)[0]}:all`

function denied({ id }: Caller, reason: string, scope?: string): Problem {
  if (id === ANONYMOUS) {
    const headers = { 'www-authenticate': 'Bearer realm="millrace"' }
    return new Problem(401, 'Token required', `${reason} Send a token: Authorization: Bearer ...`, { headers })
  }
  const wanted = scope === undefined ? '' : `, scope="${scope}"`
  const headers = { 'www-authenticate': `Bearer realm="millrace", error="insufficient_scope"${wanted}` }
  return new Problem(403, 'Not allowed', reason, { headers })
}

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

/** Identifies the caller. Throws 401 for an invalid token, even if none is required, and `Unavailable` at `deadline` at the latest. */
export type CallerOf = (headers: Pick<Headers, 'authorization'>, deadline?: number) => Promise<Caller>

/** Throws 401 for an invalid token. Throws `Unavailable` if the issuer's keys are not known by `deadline`. */
export type Verify = (token: string, deadline?: number) => Promise<Caller>

/** Identifies callers by their bearer token. One without a token is anonymous, and has the scopes of `everybody`. */
export function identifyBy(verify: Verify | undefined, everybody: string[]): CallerOf {
  const anonymous: Caller = { id: ANONYMOUS, scopes: new Set(everybody) }
  return async function callerOf({ authorization }, deadline) {
    if (authorization === undefined) return anonymous
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    if (token === undefined) throw invalidToken('The Authorization header must be Bearer and a token.')
    if (!verify) throw invalidToken('No issuer of tokens is configured.')
    return await verify(token, deadline)
  }
}

/** The 401 of RFC 6750 for an invalid token. */
export function invalidToken(reason: string, cause?: unknown): Problem {
  const challenge = `Bearer realm="millrace", error="invalid_token", error_description="${reason}"`
  return new Problem(401, 'Invalid token', reason, { cause, headers: { 'www-authenticate': challenge } })
}
