import { expect, inject, test } from 'vitest'
import { verifier } from '#adapters/auth/verifier.ts'
import { rolesOf } from '#core/access.ts'
import { systemClock } from '#core/clock.ts'
import { people } from '#local/issuer/people.ts'
import { findDomains } from '#main/find-domains.ts'
import { ADMINISTRATOR } from '../services/keycloak.ts'
import { quiet } from '../telemetry.ts'

const { url = '', env } = inject('issuer')
const { origin } = new URL(url)
const issuer = String(env.OIDC_ISSUER)
const scopesOf = rolesOf(await findDomains())
const options = {
  issuer,
  url,
  audience: 'millrace',
  algorithms: ['RS256'],
  scopesOf,
  clock: systemClock,
  ...quiet(),
  cooldownMs: 0,
}

interface Tokens {
  access_token: string
  id_token: string
  refresh_token: string
}

async function ask<Body>(url: string, init: RequestInit = {}): Promise<Body> {
  const answer = await fetch(url, init)
  const text = await answer.text()
  expect(answer.ok, text).toBe(true)
  return (text === '' ? undefined : JSON.parse(text)) as Body
}

const grant = (realm: string, client: string, username: string, password: string, scope = 'openid') =>
  ask<Tokens>(`${origin}/realms/${realm}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', client_id: client, username, password, scope }),
  })
const tokensOf = (person: string) => grant('millrace', 'millrace-cli', person, person)

test('Keycloak has the people of make dev, with the same rights', async () => {
  const verify = verifier(options)
  for (const [name, { roles, organisation, ...person }] of Object.entries(people)) {
    const caller = await verify((await tokensOf(name)).access_token)
    expect(caller, name).toMatchObject({ ...person, ...(organisation ? { organisation } : {}) })
    expect(caller.organisation, name).toBe(organisation)
    const wanted = new Set(roles.flatMap((role) => [...scopesOf(role)]))
    expect(caller.scopes, name).toEqual(wanted)
  }
})

test('a scope that a client asks for is in the token, but grants nothing', async () => {
  const { access_token } = await grant('master', 'admin-cli', ADMINISTRATOR.name, ADMINISTRATOR.password)
  const headers = { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' }
  const realm = `${origin}/admin/realms/millrace`
  const made = { name: 'letters:write', protocol: 'openid-connect', attributes: { 'include.in.token.scope': 'true' } }
  await ask(`${realm}/client-scopes`, { method: 'POST', headers, body: JSON.stringify(made) })
  const all = await ask<{ id: string; name: string }[]>(`${realm}/client-scopes`, { headers })
  const [client] = await ask<{ id: string }[]>(`${realm}/clients?clientId=millrace-cli`, { headers })
  const id = all.find(({ name }) => name === made.name)?.id
  await ask(`${realm}/clients/${client?.id}/optional-client-scopes/${id}`, { method: 'PUT', headers })
  const token = (await grant('millrace', 'millrace-cli', 'member', 'member', `openid ${made.name}`)).access_token
  expect(JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString()).scope).toContain(made.name)
  expect((await verifier(options)(token)).scopes).toEqual(new Set(scopesOf('member')))
})

test('tokens of Keycloak for other purposes are not accepted', async () => {
  const verify = verifier(options)
  const { access_token, id_token, refresh_token } = await tokensOf('administrator')
  await verify(access_token)
  for (const other of [id_token, refresh_token]) await expect(verify(other)).rejects.toMatchObject({ status: 401 })
  const web = verifier({ ...options, audience: 'millrace-cli' })
  await expect(web(id_token)).rejects.toMatchObject({ status: 401 })
})

test('Keycloak may be reached at another address, but only tokens of its own name are accepted', async () => {
  expect(new URL(issuer).origin).not.toBe(origin)
  const { access_token } = await tokensOf('member')
  await expect(verifier({ ...options, issuer: url })(access_token)).rejects.toMatchObject({ what: 'issuer' })
})

test('a token of another realm is refused', async () => {
  const { access_token } = await grant('master', 'admin-cli', ADMINISTRATOR.name, ADMINISTRATOR.password)
  await expect(verifier(options)(access_token)).rejects.toMatchObject({ status: 401 })
})

test('after a key change the tokens of both keys are accepted at once', async () => {
  const verify = verifier(options)
  const before = (await tokensOf('member')).access_token
  await verify(before)
  const { access_token } = await grant('master', 'admin-cli', ADMINISTRATOR.name, ADMINISTRATOR.password)
  await ask(`${origin}/admin/realms/millrace/components`, {
    method: 'POST',
    headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'newer',
      providerId: 'rsa-generated',
      providerType: 'org.keycloak.keys.KeyProvider',
      config: { priority: ['200'] },
    }),
  })
  const after = (await tokensOf('member2')).access_token
  const keyOf = (token: string) => JSON.parse(Buffer.from(String(token.split('.')[0]), 'base64url').toString()).kid
  expect(keyOf(after)).not.toBe(keyOf(before))
  expect(await verify(after)).toMatchObject({ name: 'Max Miller' })
  expect(await verify((await tokensOf('member')).access_token)).toMatchObject({ name: 'Mary Miller' })
  expect(await verify(before)).toMatchObject({ name: 'Mary Miller' })
})

test('the pages of Keycloak require the proof of a code, and nobody can change their own organisation', async () => {
  const { access_token } = await grant('master', 'admin-cli', ADMINISTRATOR.name, ADMINISTRATOR.password)
  const headers = { authorization: `Bearer ${access_token}` }
  const [web] = await ask<{ attributes: object; directAccessGrantsEnabled: boolean; publicClient: boolean }[]>(
    `${origin}/admin/realms/millrace/clients?clientId=millrace-web`,
    { headers },
  )
  expect(web).toMatchObject({
    publicClient: true,
    directAccessGrantsEnabled: false,
    attributes: { 'pkce.code.challenge.method': 'S256' },
  })
  const profile = await ask<{ attributes: { name: string; permissions: object }[] }>(
    `${origin}/admin/realms/millrace/users/profile`,
    { headers },
  )
  expect(profile.attributes.find(({ name }) => name === 'organisation')).toMatchObject({
    permissions: { edit: ['admin'] },
  })
})
