import { bodyHash } from '#core/ids.ts'
import { seals } from '#core/seals.ts'
import type { Trust } from '#functions/persist/envelope.ts'

/** The secret of all mills that tests start. */
export const SECRET = 'a secret of thirty-two characters'
export const SEALS = seals([SECRET])

/** Trusts deliveries without a seal, for tests of other parts. */
export const trusting: Trust = { seals: SEALS, unsealed: 'trust' }

export const wary: Trust = { seals: SEALS, unsealed: 'plain' }

/** The seal of an anonymous command with this value. */
export const sealOf = (id: string, type: string, value: string): string =>
  SEALS.seal({ topic: '', id, type, time: Date.now(), stream: '', actor: 'anonymous', body: bodyHash(type, value) })
