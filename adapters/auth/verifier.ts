import { hash } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify } from 'jose'
import { invalidToken, type Verify } from '#core/access.ts'
import { BoundedMap } from '#core/bounded-map.ts'
import { MINUTE_MS } from '#core/clock.ts'
import { Problem } from '#core/problem.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Caller } from '#domains/domain.ts'
import { parseClaims } from './claims.ts'
import { issuerKeys, type KeysOptions } from './issuer-keys.ts'

export interface VerifierOptions extends KeysOptions {
  audience: string
  /** Asymmetric algorithms only, so that nobody can use the public key as a shared secret. */
  algorithms: string[]
  /** The scopes that one of the issuer's roles grants. */
  scopesOf(role: string): Iterable<string>
  /** Scopes that every caller has. */
  everybody?: string[]
}

const MAX_TOKEN_BYTES = 8192
const SKEW_MS = 30_000
/** RFC 9068 defines `at+jwt`, and many issuers write `JWT`. The claims tell an ID token from an access token. */
const TYPES = ['at+jwt', 'application/at+jwt', 'jwt']

/** The lifetime of a verified token in memory: verifying a signature takes 50 to 110 us, a hash 2. */
const REMEMBER_MS = MINUTE_MS
const MAX_REMEMBERED = 10_000

/** Verifies the bearer tokens of one issuer. */
export function verifier(options: VerifierOptions): Verify {
  const { issuer, audience, algorithms, clock, everybody = [] } = options
  const keyOf = issuerKeys(options)
  const callers = new BoundedMap<Caller>(MAX_REMEMBERED)

  return async function verify(token, deadline) {
    if (token.length > MAX_TOKEN_BYTES) throw invalidToken(`A token has at most ${MAX_TOKEN_BYTES} bytes.`)
    const now = clock.now()
    const id = hash('sha256', token, 'base64url')
    const known = callers.get(id, now)
    if (known) return known
    try {
      const { payload, protectedHeader } = await jwtVerify(token, (header, jws) => keyOf(header, jws, deadline), {
        issuer,
        audience,
        algorithms,
        clockTolerance: SKEW_MS / 1000,
        currentDate: new Date(now),
        requiredClaims: ['exp', 'sub'],
      })
      if (!TYPES.includes((protectedHeader.typ ?? 'jwt').toLowerCase()))
        throw invalidToken('The token is not an access token.')
      const caller = callerOf(payload)
      callers.set(id, caller, Math.min(now + REMEMBER_MS, (payload.exp ?? 0) * 1000 + SKEW_MS))
      return caller
    } catch (error) {
      if (error instanceof Unavailable || error instanceof Problem) throw error
      throw invalidToken(reasonOf(error), error)
    }
  }

  function callerOf(payload: JWTPayload): Caller {
    const claims = parseClaims(payload, audience)
    if (!claims) throw invalidToken('The claims are not those of an access token.')
    const { roles, ...caller } = claims
    const granted = roles.flatMap((role) => [...options.scopesOf(role)])
    return { ...caller, scopes: new Set([...everybody, ...granted]) }
  }
}

/** The reason contains no part of the token, except a claim's name. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.'
  if (error instanceof errors.JWTClaimValidationFailed) return `The claim ${error.claim} is not accepted.`
  if (error instanceof errors.JOSEAlgNotAllowed) return 'The algorithm is not accepted.'
  if (error instanceof errors.JWKSNoMatchingKey) return 'The issuer does not have the signing key.'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'The signature is not valid.'
  return 'The token is not a signed JWT.'
}
