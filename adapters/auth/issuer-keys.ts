import { createRemoteJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters, type RemoteJWKSet } from 'jose'
import { z } from 'zod'
import { type Clock, inTime, MINUTE_MS } from '#core/clock.ts'
import type { Logger } from '#core/telemetry.ts'
import { Unavailable } from '#core/unavailable.ts'

export interface KeysOptions {
  issuer: string
  /** Where the issuer is reached, if not at its name. */
  url?: string | undefined
  clock: Clock
  logger: Pick<Logger, 'warn'>
  /** The longest that a caller waits for the issuer, however many requests that takes. */
  withinMs?: number
  /** How often a token with an unknown key makes us look for new ones at most. */
  cooldownMs?: number
}

export type Keys = ReturnType<typeof issuerKeys>

/** A look goes on for so many times `withinMs`: a slow issuer is known to the callers that come after it. */
const PATIENCE = 5
/** Also what the issuer has withdrawn is out of use after so long. */
const REFRESH_MS = 10 * MINUTE_MS

const metadata = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) })

/** What the set says of a token, not of the issuer. */
const OF_THE_TOKEN = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported]

/**
 * The issuer's keys, found by its name. A new one is met by the first token that is signed with it. While the issuer is away
 * those that are known go on; whoever needs another gets `Unavailable`.
 */
export function issuerKeys({ issuer, url = issuer, clock, logger, withinMs = 2000, cooldownMs = 5000 }: KeysOptions) {
  let known: RemoteJWKSet | undefined
  let looking: Promise<RemoteJWKSet> | undefined
  let looked = Number.NEGATIVE_INFINITY

  async function discover(): Promise<RemoteJWKSet> {
    const document = `${url.replace(/\/$/, '')}/.well-known/openid-configuration`
    const answer = await fetch(document, { signal: AbortSignal.timeout(PATIENCE * withinMs), redirect: 'error' })
    if (!answer.ok) throw new Error(`${document} answers ${answer.status}`)
    const told = metadata.parse(await answer.json())
    if (told.issuer !== issuer) throw new Error(`${document} is of ${told.issuer}, not of ${issuer}`)
    const options = { timeoutDuration: withinMs, cooldownDuration: cooldownMs, cacheMaxAge: Number.POSITIVE_INFINITY }
    const keys = createRemoteJWKSet(new URL(told.jwks_uri), options)
    await keys.reload()
    return keys
  }

  /** Callers share a look. Beside one that takes long a new one begins, and the first to come back is taken. */
  function look(): Promise<RemoteJWKSet> {
    if (looking && clock.now() - looked < withinMs) return looking
    looked = clock.now()
    const made = discover().then((keys) => (known = keys))
    const first = looking ? Promise.any([made, looking]) : made
    const forget = () => {
      if (looking === first) looking = undefined
    }
    first.then(forget, forget)
    looking = first
    return first
  }

  async function find(header?: JWSHeaderParameters, token?: FlattenedJWSInput) {
    const keys = known ?? (await look())
    return await keys(header, token)
  }

  /** Rejects at `deadline` at the latest, or `withinMs` from now if that is earlier. */
  return async function keyOf(
    header?: JWSHeaderParameters,
    token?: FlattenedJWSInput,
    deadline = Number.POSITIVE_INFINITY,
  ) {
    try {
      if (known && clock.now() - looked > REFRESH_MS) {
        look().catch((error) => logger.warn({ err: error }, 'the keys of the issuer are not refreshed'))
      }
      const by = Math.min(deadline, clock.now() + withinMs)
      return await inTime(clock, by, find(header, token), () => new Error('no answer in time'))
    } catch (cause) {
      if (OF_THE_TOKEN.some((kind) => cause instanceof kind)) throw cause
      throw new Unavailable('issuer', `${issuer} does not tell its keys`, { cause })
    }
  }
}
