import { randomBytes } from 'node:crypto'
import { IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import type { HttpMount } from '../host/host.ts'
import type { FunctionRequest } from '../host/http.ts'
import { kept } from '../secret.ts'
import { loginPage } from './pages.ts'
import type { Provider } from './provider.ts'

export interface IssuerOptions {
  /** Where the host is reached from outside. */
  origin: string
  /** Where its keys are kept, so that tokens outlast a restart. */
  dir: string
  /** Whom tokens are made for. */
  audience: string
}

const PATH = '/oidc'
const LOGIN = '/login/'

export const issuerName = (origin: string): string => origin + PATH

/** The issuer that `make dev` brings: sample people, no passwords. It is loaded by the first who asks for it. */
export function issuer(options: IssuerOptions): HttpMount {
  let loaded: Promise<Provider> | undefined

  async function load(): Promise<Provider> {
    const [{ provider }, keys] = await Promise.all([
      import('./provider.ts'),
      kept(options.dir, 'issuer-keys', newKeys).then(JSON.parse),
    ])
    return provider({ issuer: issuerName(options.origin), audience: options.audience, ...keys })
  }

  async function serve(req: FunctionRequest, res: ServerResponse): Promise<void> {
    loaded ??= load()
    const provider = await loaded
    const inside = within(req)
    if (!inside.url?.startsWith(LOGIN)) return await provider.callback()(inside, res)
    await provider.interactionDetails(inside, res)
    if (req.method !== 'POST') {
      res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(loginPage())
      return
    }
    const accountId = new URLSearchParams(String(req.rawBody)).get('person') ?? ''
    await provider.interactionFinished(inside, res, { login: { accountId } })
  }

  return { kind: 'http', name: 'issuer', accepts: (_, path) => path === PATH || path.startsWith(`${PATH}/`), serve }
}

/** The host has read the body; the issuer wants to read it itself, and to be told where it is mounted. */
function within(req: FunctionRequest): IncomingMessage {
  const { method, headers, rawHeaders, httpVersion, url = '' } = req
  const copy = new IncomingMessage(req.socket)
  Object.assign(copy, {
    method,
    headers,
    rawHeaders,
    httpVersion,
    url: url.slice(PATH.length) || '/',
    originalUrl: url,
  })
  copy.complete = true
  copy.push(req.rawBody)
  copy.push(null)
  return copy
}

async function newKeys(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const kid = randomBytes(8).toString('base64url')
  const signing = { ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' }
  return JSON.stringify({ jwks: { keys: [signing] }, cookieKeys: [randomBytes(32).toString('base64url')] })
}
