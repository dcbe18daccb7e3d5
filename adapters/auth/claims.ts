import { z } from 'zod'

/** A malformed claim grants nothing, and does not invalidate the token. */
const roles = z.array(z.string()).catch([])
const roleHolder = z.object({ roles }).catch({ roles: [] })
const optionalName = z.string().min(1).optional().catch(undefined)

const schema = z.object({
  // The subject becomes an attribute of events unchanged. It must differ from the id of callers without a token.
  sub: z
    .string()
    .regex(/^[!#$&-[\]-~]{1,200}$/)
    .refine((sub) => sub !== 'anonymous'),
  // In Keycloak only this claim tells ID and refresh tokens from access tokens.
  typ: z.literal('Bearer').optional(),
  roles,
  realm_access: roleHolder,
  resource_access: z.record(z.string(), roleHolder).catch({}),
  organisation: optionalName,
  name: optionalName,
  preferred_username: optionalName,
  email: optionalName,
})

/**
 * The caller in a token's claims. Issuers write roles in different ways: ours and others in `roles`, Keycloak by realm or client. The
 * `scope` claim is ignored: it holds what a client requested, and many issuers let any client request any name.
 */
export function parseClaims(payload: unknown, audience: string) {
  const result = schema.safeParse(payload)
  if (!result.success) return undefined
  const { sub: id, realm_access, resource_access, organisation, preferred_username, email } = result.data
  const name = result.data.name ?? preferred_username
  return {
    id,
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    ...(organisation === undefined ? {} : { organisation }),
    roles: [...result.data.roles, ...realm_access.roles, ...(resource_access[audience]?.roles ?? [])],
  }
}
