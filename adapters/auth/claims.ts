import { z } from 'zod'

/** What is not as it should be brings nothing: it is no reason to lock anybody out, nor to let anybody in. */
const roles = z.array(z.string()).catch([])
const holder = z.object({ roles }).catch({ roles: [] })
const named = z.string().min(1).optional().catch(undefined)

const schema = z.object({
  // It becomes an attribute of events as it is; who has no token must not be who has one.
  sub: z
    .string()
    .regex(/^[!#$&-[\]-~]{1,200}$/)
    .refine((sub) => sub !== 'anonymous'),
  // Keycloak tells its ID and refresh tokens by this claim only.
  typ: z.literal('Bearer').optional(),
  roles,
  realm_access: holder,
  resource_access: z.record(z.string(), holder).catch({}),
  organisation: named,
  name: named,
  preferred_username: named,
  email: named,
})

/**
 * What issuers say of who asks, each in its own way: ours and others in `roles`, Keycloak by realm or client. The `scope` claim
 * is not read: it says what a client asked for, and many issuers let any client ask for any name.
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
