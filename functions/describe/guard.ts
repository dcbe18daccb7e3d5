import type { Restriction } from '#core/access.ts'
import { type Operation, problems } from './operation.ts'

export const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A token of the issuer that the site trusts.',
  },
}

/** The requirement of an operation that needs no token, but whose answer may depend on one. */
export const OPTIONAL = [{}, { bearer: [] }]

const BOUND = 'The caller must belong to the organisation, or have the scope over all organisations.'

/** The operation with its requirements. `open` are the scopes of callers without a token. */
export function guard(
  operation: Operation,
  { scope, organisation }: Restriction,
  open: ReadonlySet<string>,
): Operation {
  if (scope === undefined && !organisation) {
    return { ...operation, security: operation.security ?? [], responses: { ...operation.responses, ...problems(401) } }
  }
  const isOpen = !organisation && open.has(scope ?? '')
  return {
    ...operation,
    ...(organisation ? { description: BOUND } : {}),
    security: [...(isOpen ? [{}] : []), { bearer: scope === undefined ? [] : [scope] }],
    responses: { ...operation.responses, ...problems(401, 403) },
  }
}
