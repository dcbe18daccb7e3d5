import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export interface SigningKey {
  kid: string
  alg: string
  /** The public key as the issuer publishes it. */
  jwk: JWK
  privateKey: CryptoKey
}

export async function newKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** An issuer of OpenID Connect for tests of token verification, with its own keys and faults. */
export async function startIssuer(...first: SigningKey[]) {
  let keys = first
  let mode: 'well' | 'hanging' | 'failing' | 'lying' = 'well'
  let name: string | undefined
  const asked: string[] = []
  const held = new Map<ServerResponse, () => void>()

  const server = createServer((req, res) => {
    asked.push(String(req.url))
    if (mode === 'failing') return res.writeHead(500).end()
    const issuer = mode === 'lying' ? `${url}/another` : (name ?? url)
    const body = req.url === '/jwks' ? { keys: keys.map(({ jwk }) => jwk) } : { issuer, jwks_uri: `${url}/jwks` }
    const answer = () => res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (mode === 'hanging') held.set(res, answer)
    else answer()
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const port = await listen(0)
  server.unref()
  const url = `http://127.0.0.1:${port}`

  /** Signs a token. Undefined claims are left out. */
  function sign(
    claims: JWTPayload = {},
    { key = keys[0] as SigningKey, header = {} }: { key?: SigningKey; header?: object } = {},
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000)
    const all = { iss: url, aud: 'millrace', sub: 'ada', exp: now + 300, ...claims }
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
    return new SignJWT(given)
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })
      .sign(key.privateKey)
  }

  return {
    url,
    sign,
    /** The paths of the requests. */
    asked,
    publish(...now: SigningKey[]): void {
      keys = now
    },
    /** Makes the issuer use this name instead of its address. */
    isCalled(now: string): void {
      name = now
    },
    becomes(now: typeof mode): void {
      mode = now
    },
    /** Responds to the requests that are still open. */
    answers(): void {
      for (const answer of held.values()) answer()
      held.clear()
    },
    comesBack: () => listen(port),
    async goesAway(): Promise<void> {
      for (const res of held.keys()) res.destroy()
      const closed = once(server, 'close')
      server.close().closeAllConnections()
      await closed
    },
  }
}
