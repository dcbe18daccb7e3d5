import { type Delivery, MALFORMED, PLAIN } from '#core/delivery.ts'
import { bodyHash } from '#core/ids.ts'
import { readSeal, type Seals, type Vouched } from '#core/seals.ts'
import type { Document } from '#domains/domain.ts'
import { textOf } from './value.ts'

/** Whose word there is for what a delivery says of itself. */
export type Verdict =
  /** publish's own. */
  | { kind: 'sealed'; vouched: Vouched }
  /** Nobody's: the command that the topic takes from everybody who may write to it. */
  | { kind: 'plain' }
  /** Nobody's, and believed all the same: a record that was written before records were sealed. */
  | { kind: 'trusted' }
  | { kind: 'refused'; reason: string }

/** `text` is the value of the event, as `textOf` gives it. */
export type Judge = (event: Delivery, text: string) => Verdict

export interface Trust {
  seals: Seals
  /** What persist makes of a record without a seal (UNSEALED). */
  unsealed: 'plain' | 'trust'
}

/** The source of what publish writes. Before it sealed records it gave them ids of their own: as a plain one each would count again. */
const PUBLISH = /^\/millrace\/publish(#|$)/

/** Judges deliveries by their seals; `plainTypes` are the command types that a topic takes without one. */
export function judge({ seals, unsealed }: Trust, plainTypes: ReadonlySet<string>): Judge {
  return (event, text) => {
    if (event.seal !== undefined) return judgeSeal(String(event.seal), text)
    if (unsealed === 'trust') return { kind: 'trusted' }
    if (event.type === MALFORMED) return { kind: 'refused', reason: String(event.reason) }
    const isPlain = event.type === PLAIN || (plainTypes.has(event.type) && !PUBLISH.test(event.source))
    return isPlain
      ? { kind: 'plain' }
      : { kind: 'refused', reason: `a record of type ${event.type} that publish has not sealed` }
  }

  function judgeSeal(seal: string, text: string): Verdict {
    const opened = seals.open(seal)
    if (!opened.ok) return { kind: 'refused', reason: opened.reason }
    const { type, body, value = body } = opened.vouched
    if (bodyHash(type, text) === value) return { kind: 'sealed', vouched: opened.vouched }
    return { kind: 'refused', reason: 'its seal is of another value' }
  }
}

/** The verdict that a letter was kept with holds on, since keys go; one that was refused may be of a key that is known by now. */
export function keptVerdict({ verdict }: Document, event: Delivery, judge: Judge): Verdict {
  switch (verdict) {
    case 'sealed':
      return { kind: 'sealed', vouched: readSeal(String(event.seal)) }
    case 'plain':
      return { kind: 'plain' }
    case 'refused':
      return judge(event, textOf(event.data))
    default: // trusted, or kept before records were sealed
      return { kind: 'trusted' }
  }
}
