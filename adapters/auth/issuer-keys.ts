import { createRemoteJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters, type RemoteJWKSet } from 'jose'
import { z } from 'zod'
import { type Clock, inTime, MINUTE_MS } from '#core/clock.ts'
import type { Logger } from '#core/telemetry.ts'
import { Unavailable } from '#core/unavailable.ts'

export interface KeysOptions {
  issuer: string
  /** The address of the issuer, if it differs from the issuer's name. */
  url?: string | undefined
  clock: Clock
  logger: Pick<Logger, 'warn'>
  /** The longest that a caller waits for the issuer, over all requests to it. */
  withinMs?: number
  /** The shortest time between two requests for new keys because of a token with an unknown key. */
  cooldownMs?: number
}

/** A discovery may take this many times `withinMs`, so that later callers profit from a slow response. */
const DISCOVERY_FACTOR = 5
/** The longest that a key which the issuer has withdrawn remains in use. */
const REFRESH_MS = 10 * MINUTE_MS

const metadata = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) })

/** The errors of the key set that are the token's fault, not the issuer's. */
const TOKEN_ERRORS = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported]

/**
 * The issuer's keys, discovered by its name. The first token that is signed with a new key loads it. While the issuer is unavailable,
 * known keys remain in use, and a token that needs another key gets `Unavailable`.
 */
export function issuerKeys({ issuer, url = issuer, clock, logger, withinMs = 2000, cooldownMs = 5000 }: KeysOptions) {
  let known: RemoteJWKSet | undefined
  let discovery: Promise<RemoteJWKSet> | undefined
  let discoveredAt = Number.NEGATIVE_INFINITY

  async function discover(): Promise<RemoteJWKSet> {
    const document = `${url.replace(/\/$/, '')}/.well-known/openid-configuration`
    const response = await fetch(document, {
      signal: AbortSignal.timeout(DISCOVERY_FACTOR * withinMs),
      redirect: 'error',
    })
    if (!response.ok) throw new Error(`${document} responds with ${response.status}`)
    const provider = metadata.parse(await response.json())
    if (provider.issuer !== issuer) throw new Error(`${document} names the issuer ${provider.issuer}, not ${issuer}`)
    const options = { timeoutDuration: withinMs, cooldownDuration: cooldownMs, cacheMaxAge: Number.POSITIVE_INFINITY }
    const keys = createRemoteJWKSet(new URL(provider.jwks_uri), options)
    await keys.reload()
    return keys
  }

  /** Callers share a discovery. If it takes long, the next caller starts another one, and the first result counts. */
  function shareDiscovery(): Promise<RemoteJWKSet> {
    if (discovery && clock.now() - discoveredAt < withinMs) return discovery
    discoveredAt = clock.now()
    const started = discover().then((keys) => (known = keys))
    const first = discovery ? Promise.any([started, discovery]) : started
    const forget = () => {
      if (discovery === first) discovery = undefined
    }
    first.then(forget, forget)
    discovery = first
    return first
  }

  async function find(header?: JWSHeaderParameters, token?: FlattenedJWSInput) {
    const keys = known ?? (await shareDiscovery())
    return await keys(header, token)
  }

  /** Rejects at `deadline` at the latest, or `withinMs` from now if that is earlier. */
  return async function keyOf(
    header?: JWSHeaderParameters,
    token?: FlattenedJWSInput,
    deadline = Number.POSITIVE_INFINITY,
  ) {
    try {
      if (known && clock.now() - discoveredAt > REFRESH_MS) {
        shareDiscovery().catch((error) => logger.warn({ err: error }, 'the keys of the issuer could not be refreshed'))
      }
      const by = Math.min(deadline, clock.now() + withinMs)
      return await inTime(clock, by, find(header, token), () => new Error('the issuer did not respond in time'))
    } catch (cause) {
      if (TOKEN_ERRORS.some((kind) => cause instanceof kind)) throw cause
      throw new Unavailable('issuer', `the keys of ${issuer} are unavailable`, { cause })
    }
  }
}
