import { textOf } from '#core/cloudevent.ts'
import { type Delivery, MALFORMED, PLAIN } from '#core/delivery.ts'
import { bodyHash } from '#core/ids.ts'
import { readSeal, type Seals, type Vouched } from '#core/seals.ts'
import type { Document } from '#domains/domain.ts'
import type { KnownCommands } from './command.ts'
import { attributesOf, legacyPlain, plain, refused, unsealed } from './unsealed.ts'

/** How far a delivery is believed. */
export type Verdict =
  /** publish wrote it. */
  | { kind: 'sealed'; vouched: Vouched }
  /** Anybody wrote it: the command that the topic takes from every producer. */
  | { kind: 'plain' }
  /** Believed without a seal: a record from before publish sealed them. */
  | { kind: 'trusted' }
  | { kind: 'refused'; reason: string }

/** `text` is the value of the delivery, as `textOf` gives it. */
export type Judge = (delivery: Delivery, text: string) => Verdict

export interface Trust {
  seals: Seals
  /** How persist takes a record without a seal (UNSEALED). */
  unsealed: 'plain' | 'trust'
}

/** The source of publish's records. Before it sealed them it gave them ids of their own: as a plain record each would count again. */
const PUBLISH = /^\/millrace\/publish(#|$)/

/** Judges deliveries by their seals; `plainTypes` are the command types that a topic takes without one. */
export function judge({ seals, unsealed }: Trust, plainTypes: ReadonlySet<string>): Judge {
  return (delivery, text) => {
    if (delivery.seal !== undefined) return judgeSeal(String(delivery.seal), text)
    if (unsealed === 'trust') return { kind: 'trusted' }
    if (delivery.type === MALFORMED) return { kind: 'refused', reason: String(delivery.reason) }
    const isPlain = delivery.type === PLAIN || (plainTypes.has(delivery.type) && !PUBLISH.test(delivery.source))
    return isPlain
      ? { kind: 'plain' }
      : { kind: 'refused', reason: `a record of type ${delivery.type} that publish has not sealed` }
  }

  function judgeSeal(seal: string, text: string): Verdict {
    const opened = seals.open(seal)
    if (!opened.ok) return { kind: 'refused', reason: opened.reason }
    const { type, body, value = body } = opened.vouched
    if (bodyHash(type, text) === value) return { kind: 'sealed', vouched: opened.vouched }
    return { kind: 'refused', reason: 'its seal belongs to another value' }
  }
}

/** A letter keeps its verdict, since keys rotate. A refused one is judged again: its key may be known by now. */
export function keptVerdict({ verdict }: Document, delivery: Delivery, judge: Judge): Verdict {
  switch (verdict) {
    case 'sealed':
      return { kind: 'sealed', vouched: readSeal(String(delivery.seal)) }
    case 'plain':
      return { kind: 'plain' }
    case 'refused':
      return judge(delivery, textOf(delivery.data))
    default: // trusted, or kept before records were sealed
      return { kind: 'trusted' }
  }
}

/** The part of a command that is known before its value is read: from the seal, or from the record where it is believed. */
export interface Envelope {
  type: string
  id: string
  topic: string | undefined
  /** Known for publish's records only. */
  stream: string | undefined
  /** ISO 8601, UTC. Undefined if the record has none that is valid. */
  time: string | undefined
  actor: string
  scopes: string[]
  expectedVersion: number | undefined
  /** The hash of the command's body, if publish has written it down. */
  hash: string | undefined
  /** The id for a key in the body, of a record without an id of its own. */
  idOf?(domain: string, key: string, hash: string): string
}

export function envelopeOf(delivery: Delivery, verdict: Verdict, known: KnownCommands): Envelope {
  switch (verdict.kind) {
    case 'sealed':
      return sealed(verdict.vouched)
    case 'trusted':
      return {
        ...unsealed(delivery),
        ...(delivery.type === PLAIN ? legacyPlain(delivery, known) : attributesOf(delivery)),
      }
    case 'plain':
      return { ...unsealed(delivery), ...plain(delivery, known) }
    case 'refused':
      return { ...unsealed(delivery), ...refused(delivery) }
    default:
      return verdict satisfies never
  }
}

/** Every delivery of ours comes this way: nothing else of it is read. */
const sealed = ({ type, id, topic, stream, time, actor, scopes = [], expectedVersion, body }: Vouched): Envelope => ({
  type,
  id,
  topic,
  stream,
  time: new Date(time).toISOString(),
  actor,
  scopes,
  expectedVersion,
  hash: body,
})
