import type { Caller, Fields } from '#domains/domain.ts'
import { ANONYMOUS } from './ids.ts'
import { Problem } from './problem.ts'

/** What a command type or a query says of who may ask for it. */
export interface Restriction {
  scope?: string | undefined
  organisation?: ((of: Fields) => string) | undefined
}

/**
 * Throws 401 for a caller without a token where one is needed, 403 for one whose token is not enough. Of whom it is can be
 * told only once it is known what is asked for.
 */
export function authorize({ scope, organisation }: Restriction, caller: Caller, of?: Fields): void {
  if (scope !== undefined && !caller.scopes.has(scope)) throw denied(caller, `This needs the scope ${scope}.`, scope)
  if (!organisation || !of || caller.scopes.has(allOf(scope))) return
  if (caller.organisation === undefined || caller.organisation !== organisation(of)) {
    throw denied(caller, 'This is of an organisation that the caller does not belong to.')
  }
}

/** Who has `logs:all` is not bound to an organisation in what takes `logs:read`. */
const allOf = (scope = ''): string => `${scope.split(':', 1)[0]}:all`

function denied({ id }: Caller, reason: string, scope?: string): Problem {
  if (id === ANONYMOUS) {
    const headers = { 'www-authenticate': 'Bearer realm="millrace"' }
    return new Problem(401, 'Token needed', `${reason} Send a token: Authorization: Bearer ...`, { headers })
  }
  const wanted = scope === undefined ? '' : `, scope="${scope}"`
  const headers = { 'www-authenticate': `Bearer realm="millrace", error="insufficient_scope"${wanted}` }
  return new Problem(403, 'Not allowed', reason, { headers })
}
