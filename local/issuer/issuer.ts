import { randomBytes } from 'node:crypto'
import { IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import type { FunctionRequest } from '#adapters/host/http.ts'
import type { HttpMount } from '#adapters/host/mounts.ts'
import { kept } from '#adapters/kept.ts'
import type { Logger } from '#core/telemetry.ts'
import { loginPage, saidPage, write } from './pages.ts'
import { personOf } from './people.ts'
import type { Provider } from './provider.ts'
import { SIGNED_IN, signIn } from './sign-in.ts'

export interface IssuerOptions {
  /** Where the host is reached from outside. */
  origin: string
  /** Where its keys are kept, so that tokens outlast a restart. */
  dir: string
  /** Whom tokens are made for. */
  audience: string
  logger: Pick<Logger, 'error'>
}

const PATH = '/oidc'
const LOGIN = '/login/'

export const issuerName = (origin: string): string => origin + PATH

/** The issuer that `make dev` brings: sample people, no passwords. It is loaded by the first who asks for it. */
export function issuer(options: IssuerOptions): HttpMount {
  let loaded: Promise<Provider> | undefined
  const own = signIn(issuerName(options.origin))

  async function load(): Promise<Provider> {
    const [{ provider }, keys] = await Promise.all([
      import('./provider.ts'),
      kept(options.dir, 'issuer-keys', newKeys).then(JSON.parse),
    ])
    return provider({ issuer: issuerName(options.origin), audience: options.audience, logger: options.logger, ...keys })
  }

  async function serve(req: FunctionRequest, res: ServerResponse): Promise<void> {
    loaded ??= load()
    const provider = await loaded
    const inside = within(req)
    const path = inside.url?.split('?', 1)[0] ?? '/'
    if (path.startsWith(LOGIN)) return await logIn(provider, inside, req, res)
    if (req.method !== 'GET') return await provider.callback()(inside, res)
    if (path === '/') own.start(inside, res)
    else if (path === SIGNED_IN) await own.end(inside, res)
    else await provider.callback()(inside, res)
  }

  async function logIn(provider: Provider, inside: IncomingMessage, req: FunctionRequest, res: ServerResponse) {
    const isBegun = await provider.interactionDetails(inside, res).then(() => true, unlessUnknown)
    if (!isBegun) return write(res, 400, saidPage('No such log-in', 'It is over, or was begun in another browser.'))
    if (req.method !== 'POST') return write(res, 200, loginPage())
    const accountId = new URLSearchParams(String(req.rawBody)).get('person')
    if (!personOf(accountId)) return write(res, 400, loginPage())
    await provider.interactionFinished(inside, res, { login: { accountId: String(accountId) } })
  }

  return { kind: 'http', name: 'issuer', accepts: (_, path) => path === PATH || path.startsWith(`${PATH}/`), serve }
}

/** False for a log-in that the issuer does not know, or not from this browser. Throws anything else. */
function unlessUnknown(error: unknown): false {
  if (error instanceof Error && error.name === 'SessionNotFound') return false
  throw error
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
