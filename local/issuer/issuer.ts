import { randomBytes } from 'node:crypto'
import { IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import type { FunctionRequest } from '#adapters/host/http.ts'
import type { HttpMount } from '#adapters/host/request-handler.ts'
import { readOrCreate } from '#adapters/private-file.ts'
import type { Logger } from '#core/telemetry.ts'
import { loginPage, messagePage, write } from './pages.ts'
import { personOf } from './people.ts'
import type { Provider } from './provider.ts'
import { SIGNED_IN, signIn } from './sign-in.ts'

export interface IssuerOptions {
  /** The public origin of the host. */
  origin: string
  /** The folder of its keys, which survive a restart, so tokens do too. */
  dir: string
  /** The audience of the tokens. */
  audience: string
  logger: Pick<Logger, 'error'>
}

const PATH = '/oidc'
const LOGIN = '/login/'

export const issuerName = (origin: string): string => origin + PATH

/** The issuer of `make dev`: sample people, no passwords. The first request loads it. */
export function issuer(options: IssuerOptions): HttpMount {
  let loaded: Promise<Provider> | undefined
  const own = signIn(issuerName(options.origin))

  async function load(): Promise<Provider> {
    const [{ provider }, keys] = await Promise.all([
      import('./provider.ts'),
      readOrCreate(options.dir, 'issuer-keys', newKeys).then(JSON.parse),
    ])
    return provider({ issuer: issuerName(options.origin), audience: options.audience, logger: options.logger, ...keys })
  }

  async function serve(req: FunctionRequest, res: ServerResponse): Promise<void> {
    loaded ??= load()
    const provider = await loaded
    const mounted = toMounted(req)
    const path = mounted.url?.split('?', 1)[0] ?? '/'
    if (path.startsWith(LOGIN)) return await logIn(provider, mounted, req, res)
    if (req.method !== 'GET') return await provider.callback()(mounted, res)
    if (path === '/') own.start(mounted, res)
    else if (path === SIGNED_IN) await own.end(mounted, res)
    else await provider.callback()(mounted, res)
  }

  async function logIn(provider: Provider, mounted: IncomingMessage, req: FunctionRequest, res: ServerResponse) {
    const isKnown = await provider.interactionDetails(mounted, res).then(() => true, falseIfUnknown)
    if (!isKnown)
      return write(res, 400, messagePage('No such log-in', 'The log-in is over, or it began in another browser.'))
    if (req.method !== 'POST') return write(res, 200, loginPage())
    const accountId = new URLSearchParams(String(req.rawBody)).get('person')
    if (!personOf(accountId)) return write(res, 400, loginPage())
    await provider.interactionFinished(mounted, res, { login: { accountId: String(accountId) } })
  }

  return { kind: 'http', name: 'issuer', paths: [PATH, `${PATH}/`], serve }
}

/** False for a log-in that the issuer doesn't know, or knows from another browser. Rethrows any other error. */
function falseIfUnknown(error: unknown): false {
  if (error instanceof Error && error.name === 'SessionNotFound') return false
  throw error
}

/** A copy of the request for the issuer, which reads the body itself and needs to know its mount path. */
function toMounted(req: FunctionRequest): IncomingMessage {
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
