import { isUtf8 } from 'node:buffer'
import { textOf } from '#core/cloudevent.ts'
import { letters } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import type { Failure } from '#core/failure.ts'
import { rejectionId, standingOf } from '#core/ledger.ts'
import type { Store } from '#core/store.ts'
import type { Document, Fields } from '#domains/domain.ts'
import { type ApplyResult, DONE } from './applier.ts'
import type { ReceivedCommand } from './command.ts'
import type { Verdict } from './envelope.ts'
import { topicOf } from './unsealed.ts'

/** A delivery that could not be applied. */
export interface Unapplied {
  id: string
  hash: string
  type: string
  failure: Failure
  delivery: Delivery
  /** How far the delivery was believed. A redrive goes by that, since keys rotate. */
  verdict: Verdict['kind']
  domain?: string | undefined
  stream?: string | undefined
  attempts?: number
  /** Accepted before the horizon: whether it took effect is no longer known. */
  isBeyondHorizon?: true
}

/** The error of a letter that waits behind another one of its stream. */
export const BEHIND_PARKED = 'behind a parked command of its stream'

/** The result of a command that has a letter. The one that parked its stream is 422 again: its copy may not have been made. */
export const resultOfLetter = ({ error }: Document): ApplyResult =>
  error === BEHIND_PARKED ? DONE : { status: 422, detail: String(error) }

export const horizonReason = ({ command }: ReceivedCommand): string =>
  `accepted before the horizon, ${command.time}: whether it took effect is no longer known`

export const unappliedOf = (
  { domain, command, hash, delivery, verdict }: ReceivedCommand,
  failure: Failure,
  attempts: number,
): Unapplied & { stream: string } => ({
  id: command.id,
  hash,
  type: command.type,
  failure,
  delivery,
  verdict,
  domain: domain.name,
  stream: command.stream,
  attempts,
})

/** What the log says about a command that is not applied, beside the message. */
export const reportOf = ({ id, type, failure: { frames }, domain, stream, attempts }: Unapplied) => ({
  command: id,
  domain,
  type,
  stream,
  attempts,
  frames,
})

/**
 * Keeps a letter. Keeping it again changes nothing. Another body under the same id is kept beside the first, so that no
 * letter is lost.
 */
export async function keepLetter(store: Store, unapplied: Unapplied, now: number): Promise<void> {
  const letter = letterOf(unapplied, now)
  const present = await store.insert(letters, [letter])
  if (present.size === 0) return
  const standing = standingOf(unapplied, { letters: await store.get(letters, [letter._id]) })
  if (standing.kind === 'kept') return
  await store.insert(letters, [{ ...letter, _id: rejectionId(unapplied.id, unapplied.hash) }])
}

export function letterOf(unapplied: Unapplied, now: number): Document {
  const { id, hash, type, failure, delivery, verdict, domain, stream, attempts = 0, isBeyondHorizon } = unapplied
  const { data, ...attributes } = delivery
  const at = new Date(now).toISOString()
  const partition = Number(delivery.knativekafkapartition)
  const offset = Number(delivery.knativekafkaoffset)
  return {
    _id: id,
    command: id,
    hash,
    at,
    domain: domain ?? '',
    type,
    stream: stream ?? '',
    error: failure.message,
    ...(failure.frames ? { frames: failure.frames } : {}),
    attempts,
    verdict,
    ...(isBeyondHorizon ? { isPast: true } : {}),
    record: { topic: topicOf(delivery) ?? '', partition, offset },
    event: { ...(attributes as Fields), ...dataOf(data) },
  }
}

/** As the JSON format of CloudEvents has it: text as it is, bytes that are not text in base64. */
function dataOf(data: unknown): Fields {
  if (data === undefined || data === null) return {}
  if (!Buffer.isBuffer(data)) return { data: textOf(data) }
  return isUtf8(data) ? { data: textOf(data) } : { data_base64: data.toString('base64') }
}

/** The event as it was delivered, without the attributes of a copy on the error topic. */
export function deliveryOf({ event }: Document): Delivery {
  const { data, data_base64: base64, ...attributes } = event as Fields & { data?: string }
  const { knativeerrordest: _, knativeerrorcode: __, knativeerrordata: ___, ...rest } = attributes
  return { ...rest, data: base64 === undefined ? data : Buffer.from(String(base64), 'base64') } as Delivery
}
