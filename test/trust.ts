import { bodyHash } from '#core/ids.ts'
import { seals } from '#core/seals.ts'
import type { Trust } from '#functions/persist/verdict.ts'

/** What the mills of tests share with the tests. */
export const SECRET = 'a secret of thirty-two characters'
export const SEALS = seals([SECRET])

/** For tests of what comes behind the seal, whose deliveries have none. */
export const trusting: Trust = { seals: SEALS, unsealed: 'trust' }

export const wary: Trust = { seals: SEALS, unsealed: 'plain' }

/** The seal of an anonymous command with this value. */
export const sealOf = (id: string, type: string, value: string): string =>
  SEALS.seal({ topic: '', id, type, time: Date.now(), stream: '', actor: 'anonymous', body: bodyHash(type, value) })
