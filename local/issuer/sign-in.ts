import { createHash, randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { decodeJwt } from 'jose'
import type { FunctionRequest } from '#adapters/host/http.ts'
import { messagePage, signedInPage, write } from './pages.ts'

/** The path, below the issuer, where a log-in from `/oidc` ends. */
export const SIGNED_IN = '/signed-in'
const COOKIE = 'millrace_sign_in'

/** A log-in for people who use no page: an authorization code with PKCE. It ends with a token to copy. */
export function signIn(issuer: string) {
  const redirectUri = issuer + SIGNED_IN
  const { pathname: path, host } = new URL(redirectUri)

  /** A cookie belongs to one host name, so this first redirects to the name that the issuer redirects back to. */
  function start(req: FunctionRequest, res: ServerResponse): void {
    if (req.headers.host !== host) return void res.writeHead(303, { location: issuer }).end()
    const proof = randomBytes(32).toString('base64url')
    const query = new URLSearchParams({
      client_id: 'millrace-web',
      response_type: 'code',
      scope: 'openid profile email',
      prompt: 'login',
      redirect_uri: redirectUri,
      code_challenge: createHash('sha256').update(proof).digest('base64url'),
      code_challenge_method: 'S256',
    })
    const cookie = `${COOKIE}=${proof}; Path=${path}; HttpOnly; SameSite=Lax; Max-Age=3600`
    res.writeHead(303, { location: `${issuer}/auth?${query}`, 'set-cookie': cookie, 'cache-control': 'no-store' }).end()
  }

  async function end({ headers, url = '' }: FunctionRequest, res: ServerResponse): Promise<void> {
    const code = new URLSearchParams(url.split('?')[1]).get('code')
    const proof = new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(headers.cookie ?? '')?.[1]
    const token = code !== null && proof !== undefined ? await redeem(code, proof) : undefined
    if (token === undefined)
      return write(res, 400, messagePage('Not signed in', 'The log-in is over, or it began elsewhere.'))
    res.setHeader('set-cookie', `${COOKIE}=; Path=${path}; Max-Age=0`)
    write(res, 200, signedInPage(decodeJwt(token), token))
  }

  /** The access token, or undefined for a code that is used up or expired. */
  async function redeem(code: string, proof: string): Promise<string | undefined> {
    const fields = { grant_type: 'authorization_code', client_id: 'millrace-web', redirect_uri: redirectUri }
    const body = new URLSearchParams({ ...fields, code, code_verifier: proof })
    const answer = await fetch(`${issuer}/token`, { method: 'POST', body })
    const { access_token } = (await answer.json()) as { access_token?: string }
    return answer.ok ? access_token : undefined
  }

  return { start, end }
}
