import { type CryptoKey, exportSPKI, importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Unavailable } from '#core/unavailable.ts'
import { newKey, startIssuer } from '#test/auth/issuer.ts'
import { manualClock } from '#test/clock.ts'
import { eventually } from '#test/mill.ts'
import { quiet } from '#test/telemetry.ts'
import { type VerifierOptions, verifier } from './verifier.ts'

const [first, second] = await Promise.all([newKey('first'), newKey('second', 'RS256')])
const MINUTE = 60_000

let issuer: Awaited<ReturnType<typeof startIssuer>>
let clock: ReturnType<typeof manualClock>
beforeEach(async () => {
  issuer = await startIssuer(first)
  clock = manualClock(Date.now())
})
afterEach(() => issuer.goesAway().catch(() => undefined))

const checking = (options: Partial<VerifierOptions> = {}) =>
  verifier({
    ...quiet(),
    issuer: issuer.url,
    audience: 'millrace',
    algorithms: ['ES256', 'RS256'],
    scopesOf: (role) => (role === 'member' ? ['forum:write'] : []),
    clock,
    withinMs: 300,
    cooldownMs: 0,
    ...options,
  })

const inSeconds = (from: number) => Math.floor(clock.now() / 1000) + from
const invalid = (reason: string) => ({
  status: 401,
  message: expect.stringContaining(reason),
  headers: { 'www-authenticate': expect.stringMatching(/^Bearer .*error="invalid_token"/) },
})
const lookups = () => issuer.asked.filter((path) => path === '/jwks').length

test('a valid token gives the caller and its scopes', async () => {
  const token = await issuer.sign({
    name: 'Ada',
    email: 'ada@mill.example',
    organisation: 'acme',
    roles: ['member', 'unknown'],
  })
  expect(await checking({ everybody: ['sums:read'] })(token)).toEqual({
    id: 'ada',
    name: 'Ada',
    email: 'ada@mill.example',
    organisation: 'acme',
    scopes: new Set(['sums:read', 'forum:write']),
  })
})

test.each([
  { roles: ['member'] },
  { realm_access: { roles: ['member'] } },
  { resource_access: { millrace: { roles: ['member'] } } },
])('a role is found in every place that issuers use: %j', async (claims) => {
  expect((await checking()(await issuer.sign(claims))).scopes).toContain('forum:write')
})

test('malformed claims grant nothing, and do not invalidate the token', async () => {
  const wrong = { name: '', email: 7, organisation: ['acme'], roles: 'member', realm_access: 'member', scope: ['a'] }
  expect(await checking()(await issuer.sign(wrong))).toEqual({ id: 'ada', scopes: new Set() })
})

test.each<JWTPayload>([
  { scope: 'openid letters:write logs:all forum:administrate' },
  { scope: 'letters:write', azp: 'a-machine', client_id: 'a-machine' },
  { scope: ['letters:write'], scp: ['letters:write'] },
  { scp: 'letters:write', scopes: ['letters:write'], permissions: ['letters:write'] },
])('the scope claim grants nothing: %j', async (claims) => {
  const verify = checking({ everybody: ['sums:read'] })
  expect((await verify(await issuer.sign(claims))).scopes).toEqual(new Set(['sums:read']))
  const machine = await verify(await issuer.sign({ ...claims, sub: 'a-machine', roles: ['member'] }))
  expect(machine).toEqual({ id: 'a-machine', scopes: new Set(['sums:read', 'forum:write']) })
})

test('a role for another audience grants nothing', async () => {
  const token = await issuer.sign({ resource_access: { other: { roles: ['member'] } } })
  expect((await checking()(token)).scopes).toEqual(new Set())
})

test.each([
  ['expired', 'expired', { exp: -31 }],
  ['not to be used yet', 'nbf', { nbf: 31 }],
  ['never expiring', 'exp', { exp: undefined }],
])('a token that is %s is refused', async (_, reason, times: Record<string, number | undefined>) => {
  const claims = Object.entries(times).map(([name, from]) => [name, from === undefined ? undefined : inSeconds(from)])
  await expect(checking()(await issuer.sign(Object.fromEntries(claims)))).rejects.toMatchObject(invalid(reason))
})

test('clocks may differ by 30 seconds', async () => {
  const token = await issuer.sign({ exp: inSeconds(-25), nbf: inSeconds(25) })
  expect(await checking()(token)).toMatchObject({ id: 'ada' })
})

test.each([
  ['for others', 'aud', { aud: 'another' }],
  ['for others, several', 'aud', { aud: ['another', 'millrace2'] }],
  ['for nobody', 'aud', { aud: undefined }],
  ['of another issuer', 'iss', { iss: 'http://127.0.0.1:1' }],
  ['of our issuer with a slash', 'iss', { iss: '/' }],
  ['of nobody', 'sub', { sub: undefined }],
  ['of somebody who calls himself anonymous', 'claims', { sub: 'anonymous' }],
  ['of somebody whose id is no attribute', 'claims', { sub: 'a da' }],
  ['of somebody in quotes, which would be taken off on the way', 'claims', { sub: '"ada"' }],
  ['of an ID token', 'claims', { typ: 'ID' }],
  ['of a refresh token', 'claims', { typ: 'Refresh' }],
])('a token %s is refused', async (_, reason, claims: Record<string, unknown>) => {
  const iss = claims.iss === '/' ? { iss: `${issuer.url}/` } : {}
  await expect(checking()(await issuer.sign({ ...claims, ...iss }))).rejects.toMatchObject(invalid(reason))
})

test.each(['logout+jwt', 'dpop+jwt'])('a JWT for another purpose is refused: %s', async (typ) => {
  const token = await issuer.sign({}, { header: { typ } })
  await expect(checking()(token)).rejects.toMatchObject(invalid('not an access token'))
})

test('a token for several audiences and without a type is accepted', async () => {
  const token = await issuer.sign({ aud: ['another', 'millrace'] }, { header: { typ: undefined } })
  expect(await checking()(token)).toMatchObject({ id: 'ada' })
})

const claims = () => ({ iss: issuer.url, aud: 'millrace', sub: 'ada', exp: inSeconds(300) })

test('an unsigned token is refused', async () => {
  const bare = new UnsecuredJWT(claims()).encode()
  for (const token of [bare, `${bare}AA`, `${(await issuer.sign()).replace(/[^.]*$/, '')}`]) {
    await expect(checking()(token)).rejects.toMatchObject({ status: 401 })
  }
})

test("the issuer's public key is not accepted as a shared secret", async () => {
  const rsa = await newKey('rsa', 'RS256')
  issuer.publish(rsa)
  const pem = await exportSPKI((await importJWK(rsa.jwk, 'RS256')) as CryptoKey)
  for (const secret of [pem, pem.trim(), JSON.stringify(rsa.jwk), String(rsa.jwk.n)]) {
    const forged = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
      .sign(new TextEncoder().encode(secret))
    await expect(checking()(forged)).rejects.toMatchObject(invalid('algorithm'))
    await expect(checking({ algorithms: ['HS256', 'RS256'] })(forged)).rejects.toMatchObject({ status: 401 })
  }
})

test('an algorithm that is not on the list is refused, though the issuer has the key', async () => {
  issuer.publish(first, second)
  const token = await issuer.sign({}, { key: second })
  expect(await checking()(token)).toMatchObject({ id: 'ada' })
  await expect(checking({ algorithms: ['ES256'] })(token)).rejects.toMatchObject(invalid('algorithm'))
})

test('a key inside the token is ignored', async () => {
  const own = await newKey('first')
  const jku = 'http://127.0.0.1:1/jwks'
  const token = await issuer.sign({}, { key: own, header: { jwk: own.jwk, jku } })
  await expect(checking()(token)).rejects.toMatchObject(invalid('signature'))
})

test('a changed claim breaks the signature', async () => {
  const [head, , signature] = (await issuer.sign()).split('.')
  const body = Buffer.from(JSON.stringify({ ...claims(), sub: 'eve' })).toString('base64url')
  await expect(checking()(`${head}.${body}.${signature}`)).rejects.toMatchObject(invalid('signature'))
})

test.each(['', 'x', 'a.b.c', '....', `${'e'.repeat(100)}.${'y'.repeat(100)}.z`, 'eyJhbGciOiJFUzI1NiJ9.bnVsbA.AA'])(
  'garbage is refused: %s',
  async (token) => {
    await expect(checking()(token)).rejects.toMatchObject({ status: 401 })
  },
)

test('a token that is too large is refused before it is parsed', async () => {
  const token = await issuer.sign({ more: 'x'.repeat(8192) })
  await expect(checking()(token)).rejects.toMatchObject(invalid('8192'))
  expect(issuer.asked).toEqual([])
})

test('an unknown key is refused, and the issuer is asked again only after the cooldown', async () => {
  const verify = checking({ cooldownMs: MINUTE })
  const unknown = () => issuer.sign({ jti: crypto.randomUUID() }, { key: second })
  await verify(await issuer.sign())
  for (let count = 0; count < 5; count++) {
    await expect(verify(await unknown())).rejects.toMatchObject(invalid('does not have the signing key'))
  }
  expect(lookups()).toBe(1)
})

test('the first token with a new key loads it, and the old key stays valid', async () => {
  const verify = checking()
  await verify(await issuer.sign())
  issuer.publish(second, first)
  expect(await verify(await issuer.sign({ sub: 'bob' }))).toMatchObject({ id: 'bob' })
  expect(await verify(await issuer.sign({ sub: 'eve' }, { key: first }))).toMatchObject({ id: 'eve' })
  expect(lookups()).toBe(2)
})

test('a withdrawn key is out of use ten minutes later', async () => {
  const verify = checking()
  const token = (sub: string) => issuer.sign({ sub, exp: inSeconds(3600) }, { key: first })
  await verify(await token('ada'))
  issuer.publish(second)
  await clock.advance(11 * MINUTE)
  await verify(await token('bob'))
  await eventually(async () => expect(lookups()).toBe(2))
  await eventually(async () => expect(verify(await token(crypto.randomUUID()))).rejects.toMatchObject({ status: 401 }))
})

test('a verified token is remembered for a minute, but never beyond its expiry', async () => {
  const verify = checking()
  const [long, short] = await Promise.all([issuer.sign(), issuer.sign({ exp: inSeconds(1) })])
  const known = await verify(long)
  await verify(short)
  expect(await verify(long)).toBe(known)
  await clock.advance(45_000)
  await expect(verify(short)).rejects.toMatchObject(invalid('expired'))
  expect(await verify(long)).toBe(known)
  await clock.advance(MINUTE)
  expect(await verify(long)).not.toBe(known)
})

test('an issuer that is unavailable at the start is 503 and not 401, and tokens work once it returns', async () => {
  const verify = checking()
  const token = await issuer.sign()
  await issuer.goesAway()
  await expect(verify(token)).rejects.toThrow(Unavailable)
  await issuer.comesBack()
  expect(await verify(token)).toMatchObject({ id: 'ada' })
})

test('known keys remain in use while the issuer is unavailable', async () => {
  const verify = checking()
  await verify(await issuer.sign())
  await issuer.goesAway()
  await clock.advance(11 * MINUTE)
  const token = (sub: string) => issuer.sign({ sub, exp: inSeconds(300) })
  expect(await verify(await token('bob'))).toMatchObject({ id: 'bob' })
  expect(await verify(await token('eve'))).toMatchObject({ id: 'eve' })
  await expect(verify(await issuer.sign({ exp: inSeconds(300) }, { key: second }))).rejects.toThrow(Unavailable)
})

test.each(['hanging', 'failing', 'lying'] as const)('an issuer that is %s is unavailable', async (mode) => {
  const verify = checking()
  const token = await issuer.sign()
  issuer.becomes(mode)
  const began = Date.now()
  const ends = Promise.all([1, 2, 3].map(() => expect(verify(token)).rejects.toThrow(Unavailable)))
  await eventually(async () => expect(issuer.asked).toHaveLength(1))
  await clock.advance(300)
  await ends
  expect(Date.now() - began).toBeLessThan(2000)
  expect(issuer.asked).toHaveLength(1)
  issuer.becomes('well')
  expect(await verify(token)).toMatchObject({ id: 'ada' })
})

test('all requests to the issuer share one limit, and first tokens share one discovery', async () => {
  const verify = checking()
  const token = await issuer.sign()
  issuer.becomes('hanging')
  const ends: unknown[] = []
  for (let count = 0; count < 3; count++) verify(token).catch((error) => ends.push(error))
  await eventually(async () => expect(issuer.asked).toHaveLength(1))
  await clock.advance(200)
  issuer.answers()
  await eventually(async () => expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/jwks']))
  await clock.advance(99)
  expect(ends).toEqual([])
  await clock.advance(1)
  expect(ends).toEqual(Array(3).fill(expect.any(Unavailable)))
})

test('the late response of a slow issuer serves the callers after it', async () => {
  const verify = checking()
  const token = await issuer.sign()
  issuer.becomes('hanging')
  const early = expect(verify(token)).rejects.toThrow(Unavailable)
  await eventually(async () => expect(issuer.asked).toHaveLength(1))
  await clock.advance(300)
  await early
  issuer.answers()
  await eventually(async () => expect(issuer.asked).toHaveLength(2))
  issuer.answers()
  expect(await verify(token)).toMatchObject({ id: 'ada' })
  expect(lookups()).toBe(1)
})

test('a caller waits no longer than its own deadline', async () => {
  const verify = checking()
  issuer.becomes('hanging')
  const began = clock.now()
  const end = verify(await issuer.sign(), began + 120).catch((error) => [error.name, clock.now() - began])
  await eventually(async () => expect(issuer.asked).toHaveLength(1))
  await clock.advance(300)
  expect(await end).toEqual(['Unavailable', 120])
})

test('an issuer may have another address than its name', async () => {
  const verify = checking({ issuer: 'https://login.mill.example', url: `${issuer.url}/` })
  const token = await issuer.sign({ iss: 'https://login.mill.example' })
  await expect(verify(token)).rejects.toThrow(Unavailable)
  issuer.isCalled('https://login.mill.example')
  expect(await verify(token)).toMatchObject({ id: 'ada' })
})
