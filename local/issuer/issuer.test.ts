import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { verifier } from '#adapters/auth/verifier.ts'
import { type Host, startHost } from '#adapters/host/host.ts'
import { systemClock } from '#core/clock.ts'
import { eventually, freePort } from '#test/mill.ts'
import { quiet } from '#test/telemetry.ts'
import { issuer, issuerName } from './issuer.ts'

const dir = mkdtempSync(join(tmpdir(), 'issuer-'))
const port = await freePort()
const origin = `http://localhost:${port}`
const printed = vi.spyOn(console, 'warn')
const noted = vi.spyOn(console, 'info')

let host: Host
const start = async () => {
  host = await startHost({
    telemetry: quiet(),
    port,
    address: '127.0.0.1',
    maxBodyBytes: 65_536,
    checks: {},
    mounts: [issuer({ ...quiet(), origin, dir, audience: 'millrace' })],
  })
}
beforeAll(start)
afterAll(async () => {
  await host.close()
  rmSync(dir, { recursive: true })
})

const verify = () =>
  verifier({
    ...quiet(),
    issuer: issuerName(origin),
    audience: 'millrace',
    algorithms: ['ES256'],
    scopesOf: (role) => [`${role}:scope`],
    clock: systemClock,
  })

const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) })
const passwordGrant = (username: string) =>
  fetch(`${origin}/oidc/token`, form({ grant_type: 'password', client_id: 'millrace-cli', username, password: 'x' }))
const tokenOf = async (username: string) => ((await (await passwordGrant(username)).json()) as Tokens).access_token

interface Tokens {
  access_token: string
  id_token: string
}

test('a sample person gets a token that our verifier accepts', async () => {
  expect(await verify()(await tokenOf('writer'))).toEqual({
    id: 'writer',
    name: 'Will Wright',
    email: 'writer@mill.example',
    organisation: 'acme',
    scopes: new Set(['member:scope', 'writer:scope']),
  })
})

test.each(['nobody', 'constructor', ''])('there is no token for %j', async (name) => {
  expect((await passwordGrant(name)).status).toBe(400)
})

/** A browser as far as the log-in needs one: it stores cookies and does not follow redirects. */
function browser() {
  const jars = new Map<string, Map<string, string>>()
  return async (url: string, init: RequestInit = {}) => {
    const { host } = new URL(url, origin)
    const cookies = jars.get(host) ?? new Map<string, string>()
    jars.set(host, cookies)
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(new URL(url, origin), { redirect: 'manual', ...init, headers: { cookie } })
    for (const set of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      cookies.set(name, value)
    }
    return answer
  }
}

const redirectUri = `${origin}/signed-in`
const verifierOf = () => randomBytes(32).toString('base64url')
const authUrl = (challenge: Record<string, string>) =>
  `/oidc/auth?${new URLSearchParams({
    client_id: 'millrace-web',
    response_type: 'code',
    scope: 'openid profile email',
    redirect_uri: redirectUri,
    state: 'kept',
    ...challenge,
  })}`
const challengeOf = (secret: string) => ({
  code_challenge: createHash('sha256').update(secret).digest('base64url'),
  code_challenge_method: 'S256',
})

/** The browser's part of a log-in, up to the code. */
async function logIn(person: string, secret: string): Promise<URL> {
  const get = browser()
  const login = String((await get(authUrl(challengeOf(secret)))).headers.get('location'))
  expect(await (await get(login)).text()).toContain(`value="${person}"`)
  const resume = String((await get(login, form({ person }))).headers.get('location'))
  return new URL(String((await get(resume)).headers.get('location')))
}

const redeem = (code: string, secret: string) =>
  fetch(
    `${origin}/oidc/token`,
    form({
      grant_type: 'authorization_code',
      client_id: 'millrace-web',
      redirect_uri: redirectUri,
      code,
      code_verifier: secret,
    }),
  )

test('a page signs a person in with a code and its PKCE verifier', async () => {
  const secret = verifierOf()
  const back = await logIn('moderator', secret)
  expect(back.href.startsWith(`${redirectUri}?`)).toBe(true)
  expect(back.searchParams.get('state')).toBe('kept')
  const answer = await redeem(String(back.searchParams.get('code')), secret)
  expect(answer.status).toBe(200)
  const tokens = (await answer.json()) as Tokens
  expect(await verify()(tokens.access_token)).toMatchObject({ id: 'moderator', name: 'Mona Mason' })
  await expect(verify()(tokens.id_token)).rejects.toMatchObject({ status: 401 })
})

test.each(['GET', 'POST', 'PUT'])(
  'a log-in that began elsewhere is 400, with a page that links to a new one: %s',
  async (method) => {
    const body = method === 'GET' ? {} : { body: new URLSearchParams({ person: 'member' }) }
    for (const path of ['/oidc/login/x', '/oidc/login/', '/oidc/login/x?y=z']) {
      const answer = await fetch(origin + path, { method, ...body })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8'])
      expect(await answer.text()).toContain('<a href="/oidc">')
    }
    const login = String((await browser()(authUrl(challengeOf(verifierOf())))).headers.get('location'))
    expect((await browser()(login)).status).toBe(400)
  },
)

test('an unknown person gets the choice again', async () => {
  const get = browser()
  const login = String((await get(authUrl(challengeOf(verifierOf())))).headers.get('location'))
  for (const person of ['nobody', 'constructor', '']) {
    const answer = await get(login, form({ person }))
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('value="member"')])
  }
})

/** Signs in as a person does: opens `/oidc`, chooses a person, and follows the redirects. */
async function signInAs(person: string, begin = '/oidc') {
  const get = browser()
  let answer = await get(begin)
  const seen: number[] = []
  while (answer.status >= 300 && answer.status < 400) {
    seen.push(answer.status)
    const at = String(answer.headers.get('location'))
    answer = await get(at)
    if (answer.status === 200 && at.includes('/oidc/login/')) answer = await get(at, form({ person }))
  }
  expect(seen.length).toBeLessThan(8)
  return answer
}

test('a log-in ends on a page with the name of the person and a token', async () => {
  const answer = await signInAs('administrator')
  expect(answer.status).toBe(200)
  const page = await answer.text()
  expect(page).toContain('<h1>You are signed in as Ada Archer</h1>')
  expect(page).toContain('href="/docs"')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  const token = /<textarea[^>]*>([^<]+)</.exec(page)?.[1] ?? ''
  expect(await verify()(token)).toMatchObject({
    id: 'administrator',
    scopes: new Set(['member:scope', 'administrator:scope']),
  })
  const other = await (await signInAs('member', `http://127.0.0.1:${port}/oidc`)).text()
  expect(other).toContain('You are signed in as Mary Miller')
})

test.each(['', '?code=x', '?error=access_denied&error_description=%3Cscript%3E'])(
  'a log-in that fails is 400, with a page that links to a new one: %j',
  async (behind) => {
    const answer = await browser()(`/oidc/signed-in${behind}`)
    const page = await answer.text()
    expect([answer.status, page]).toEqual([400, expect.stringContaining('<a href="/oidc">')])
    expect(page).not.toContain('<script>')
  },
)

test('a code works once, and only with its PKCE verifier', async () => {
  const secret = verifierOf()
  const code = String((await logIn('member', secret)).searchParams.get('code'))
  expect((await redeem(code, verifierOf())).status).toBe(400)
  const another = String((await logIn('member', secret)).searchParams.get('code'))
  expect((await redeem(another, secret)).status).toBe(200)
  expect((await redeem(another, secret)).status).toBe(400)
})

test('without a challenge there is no code', async () => {
  const refused = await browser()(authUrl({}))
  expect(String(refused.headers.get('location'))).toContain('error=invalid_request')
})

test.each(['https://evil.example', 'javascript://localhost/%0Aalert(1)', 'app://localhost/signed-in'])(
  'a code is sent only to a page of this machine: %s',
  async (elsewhere) => {
    const url = authUrl(challengeOf(verifierOf())).replace(
      encodeURIComponent(redirectUri),
      encodeURIComponent(elsewhere),
    )
    expect((await browser()(url)).status).toBe(400)
  },
)

test('tokens survive a restart, and nothing is printed', async () => {
  const token = await tokenOf('member')
  await host.close()
  await start()
  // The first request may meet a closed connection.
  expect(await eventually(() => verify()(token))).toMatchObject({ id: 'member' })
  expect([...printed.mock.calls, ...noted.mock.calls]).toEqual([])
})
