import { hash } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify } from 'jose'
import { MINUTE_MS } from '#core/clock.ts'
import { Problem } from '#core/problem.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Caller } from '#domains/domain.ts'
import { parseClaims } from './claims.ts'
import { issuerKeys, type KeysOptions } from './issuer-keys.ts'

export interface VerifierOptions extends KeysOptions {
  audience: string
  /** Asymmetric ones only: a public key must never do as a secret. */
  algorithms: string[]
  /** Which scopes a role of the issuer's brings. */
  scopesOf(role: string): Iterable<string>
  /** Scopes that every caller has. */
  everybody?: string[]
}

/** Throws 401 for a token that is not good, and `Unavailable` while that can't be known, at `deadline` at the latest. */
export type Verify = (token: string, deadline?: number) => Promise<Caller>

const MAX_TOKEN_BYTES = 8192
const SKEW_SECONDS = 30
/** RFC 9068 says the first; many issuers say the second. That of an ID token is told by its claims. */
const TYPES = ['at+jwt', 'application/at+jwt', 'jwt']

/** A signature costs 50 to 110 us, a hash 2: a client that comes again is known for a minute. */
const REMEMBERED_MS = MINUTE_MS
const MOST_REMEMBERED = 10_000

/** Bearer tokens of one issuer. */
export function verifier(options: VerifierOptions): Verify {
  const { issuer, audience, algorithms, clock, everybody = [] } = options
  const keyOf = issuerKeys(options)
  const remembered = new Map<string, { caller: Caller; until: number }>()

  function remember(id: string, caller: Caller, { exp = 0 }: JWTPayload, now: number): void {
    const [oldest = ''] = remembered.keys()
    if (remembered.size === MOST_REMEMBERED) remembered.delete(oldest)
    remembered.set(id, { caller, until: Math.min(now + REMEMBERED_MS, (exp + SKEW_SECONDS) * 1000) })
  }

  return async function verify(token, deadline) {
    if (token.length > MAX_TOKEN_BYTES) throw invalidToken(`A token takes at most ${MAX_TOKEN_BYTES} bytes.`)
    const now = clock.now()
    const id = hash('sha256', token, 'base64url')
    const found = remembered.get(id)
    if (found && now < found.until) return found.caller
    remembered.delete(id)
    try {
      const { payload, protectedHeader } = await jwtVerify(token, (header, jws) => keyOf(header, jws, deadline), {
        issuer,
        audience,
        algorithms,
        clockTolerance: SKEW_SECONDS,
        currentDate: new Date(now),
        requiredClaims: ['exp', 'sub'],
      })
      if (!TYPES.includes((protectedHeader.typ ?? 'jwt').toLowerCase())) throw invalidToken('It is no access token.')
      const caller = callerOf(payload)
      remember(id, caller, payload, now)
      return caller
    } catch (error) {
      if (error instanceof Unavailable || error instanceof Problem) throw error
      throw invalidToken(reasonOf(error), error)
    }
  }

  function callerOf(payload: JWTPayload): Caller {
    const claims = parseClaims(payload, audience)
    if (!claims) throw invalidToken('Its claims are not those of an access token.')
    const { roles, ...caller } = claims
    const brought = roles.flatMap((role) => [...options.scopesOf(role)])
    return { ...caller, scopes: new Set([...everybody, ...brought]) }
  }
}

/** RFC 6750: the token is no good, whatever was asked. */
export function invalidToken(reason: string, cause?: unknown): Problem {
  const challenge = `Bearer realm="millrace", error="invalid_token", error_description="${reason}"`
  return new Problem(401, 'Invalid token', reason, { cause, headers: { 'www-authenticate': challenge } })
}

/** What is told never has a part of the token in it. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'It has expired.'
  if (error instanceof errors.JWTClaimValidationFailed) return `Its ${error.claim} is not one that is taken here.`
  if (error instanceof errors.JOSEAlgNotAllowed) return 'Its algorithm is not one that is taken here.'
  if (error instanceof errors.JWKSNoMatchingKey) return 'The issuer has no such key.'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'Its signature is not that of the issuer.'
  return 'It is not a signed JWT.'
}
