import { isUtf8 } from 'node:buffer'
import { HORIZON_MS, letters } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import { REUSED_KEY, rejectionId } from '#core/receipts.ts'
import type { Store } from '#core/store.ts'
import type { Document, Fields } from '#domains/domain.ts'
import type { ReceivedCommand } from './command.ts'
import { topicOf } from './envelope.ts'
import { textOf } from './value.ts'
import type { Verdict } from './verdict.ts'

export interface Unapplied {
  id: string
  hash: string
  reason: string
  event: Delivery
  /** Whose word there was for it: a redrive goes by that, since keys go. */
  verdict: Verdict['kind']
  domain?: string | undefined
  stream?: string | undefined
  attempts?: number
  /** Accepted before the horizon: nobody knows any more whether it took effect. */
  isBeyondHorizon?: true
}

/** True for a command of a decide domain whose receipt has expired, if it had one. */
export const isBeyondHorizon = ({ domain, command }: ReceivedCommand, now: number): boolean =>
  domain.kind === 'decide' && now - Date.parse(command.time) > HORIZON_MS

export const pastReason = ({ command }: ReceivedCommand): string =>
  `accepted before the horizon, ${command.time}: whether it took effect is no longer known`

/** The outcome of a command whose id is another's. */
export const reusedKeyReceipt = ({ id, hash }: Pick<Unapplied, 'id' | 'hash'>, now: number): Document => ({
  _id: rejectionId(id, hash),
  status: 'rejected',
  reason: REUSED_KEY,
  reusedKey: true,
  at: new Date(now).toISOString(),
})

/** A redrive ended its letter. What came of it, the command's document or receipt tells. */
export const redrivenReceipt = ({ id, hash }: Pick<Unapplied, 'id' | 'hash'>, now: number): Document => ({
  _id: rejectionId(id, hash),
  status: 'redriven',
  at: new Date(now).toISOString(),
})

export const unappliedOf = (
  { domain, command, hash, event, verdict }: ReceivedCommand,
  reason: string,
  attempts: number,
): Unapplied => ({
  id: command.id,
  hash,
  reason,
  event,
  verdict,
  domain: domain.name,
  stream: command.stream,
  attempts,
})

/**
 * Keeps what could not be applied. Keeping it again changes nothing; another event under the same id is kept beside the
 * first, so that no letter is ever lost to a clash.
 */
export async function keepLetter(store: Store, unapplied: Unapplied, now: number): Promise<void> {
  const letter = letterOf(unapplied, now)
  const clash = await store.insert(letters, [letter])
  if (clash.size === 0) return
  const first = (await store.get(letters, [letter._id])).get(letter._id)
  if (first?.hash !== letter.hash)
    await store.insert(letters, [{ ...letter, _id: rejectionId(unapplied.id, unapplied.hash) }])
}

export function letterOf(unapplied: Unapplied, now: number): Document {
  const { id, hash, reason, event, verdict, domain, stream, attempts = 0, isBeyondHorizon } = unapplied
  const { data, ...attributes } = event
  const at = new Date(now).toISOString()
  const partition = Number(event.knativekafkapartition)
  const offset = Number(event.knativekafkaoffset)
  return {
    _id: id,
    command: id,
    hash,
    at,
    domain: domain ?? '',
    stream: stream ?? '',
    error: reason,
    attempts,
    verdict,
    ...(isBeyondHorizon ? { isPast: true } : {}),
    record: { topic: topicOf(event) ?? '', partition, offset },
    event: { ...(attributes as Fields), ...dataOf(data) },
  }
}

/** As the JSON format of CloudEvents has it: text as it is, bytes that are not text in base64. */
function dataOf(data: unknown): Fields {
  if (data === undefined || data === null) return {}
  if (!Buffer.isBuffer(data)) return { data: textOf(data) }
  return isUtf8(data) ? { data: textOf(data) } : { data_base64: data.toString('base64') }
}
