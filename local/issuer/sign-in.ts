import { createHash, randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { decodeJwt } from 'jose'
import type { FunctionRequest } from '#adapters/host/http.ts'
import { saidPage, signedInPage, write } from './pages.ts'

/** Where a log-in from `/oidc` ends. */
export const SIGNED_IN = '/signed-in'
const COOKIE = 'millrace_sign_in'

/** A log-in for people without a page of their own: with a code and its proof, as any page does it; it ends with a token to copy. */
export function signIn(issuer: string) {
  const redirectUri = issuer + SIGNED_IN
  const { pathname: path, host } = new URL(redirectUri)

  /** A cookie belongs to one name of this machine: the one that the issuer sends the browser back to. */
  function start(req: FunctionRequest, res: ServerResponse): void {
    if (req.headers.host !== host) return void res.writeHead(303, { location: issuer }).end()
    const proof = randomBytes(32).toString('base64url')
    const asked = new URLSearchParams({
      client_id: 'millrace-web',
      response_type: 'code',
      scope: 'openid profile email',
      prompt: 'login',
      redirect_uri: redirectUri,
      code_challenge: createHash('sha256').update(proof).digest('base64url'),
      code_challenge_method: 'S256',
    })
    const cookie = `${COOKIE}=${proof}; Path=${path}; HttpOnly; SameSite=Lax; Max-Age=3600`
    res.writeHead(303, { location: `${issuer}/auth?${asked}`, 'set-cookie': cookie, 'cache-control': 'no-store' }).end()
  }

  async function end({ headers, url = '' }: FunctionRequest, res: ServerResponse): Promise<void> {
    const code = new URLSearchParams(url.split('?')[1]).get('code')
    const proof = new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(headers.cookie ?? '')?.[1]
    const token = code !== null && proof !== undefined ? await redeem(code, proof) : undefined
    if (token === undefined)
      return write(res, 400, saidPage('Not signed in', 'This log-in is over, or was not begun here.'))
    res.setHeader('set-cookie', `${COOKIE}=; Path=${path}; Max-Age=0`)
    write(res, 200, signedInPage(decodeJwt(token), token))
  }

  /** The access token, or nothing for a code that is not good any more. */
  async function redeem(code: string, proof: string): Promise<string | undefined> {
    const fields = { grant_type: 'authorization_code', client_id: 'millrace-web', redirect_uri: redirectUri }
    const body = new URLSearchParams({ ...fields, code, code_verifier: proof })
    const answer = await fetch(`${issuer}/token`, { method: 'POST', body })
    const { access_token } = (await answer.json()) as { access_token?: string }
    return answer.ok ? access_token : undefined
  }

  return { start, end }
}
