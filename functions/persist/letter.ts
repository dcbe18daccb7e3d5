import type { Event } from '#adapters/event.ts'
import type { Store } from '#adapters/store/store.ts'
import type { Document, Fields } from '#domains/domain.ts'
import { letters } from '../collections.ts'
import { type Received, topicOf } from './command.ts'

export interface Unapplied {
  id: string
  hash: string
  reason: string
  event: Event
  domain?: string | undefined
  stream?: string
  attempts?: number
}

export const unappliedOf = (
  { domain, command, hash, event }: Received,
  reason: string,
  attempts: number,
): Unapplied => ({
  id: command.id,
  hash,
  reason,
  event,
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
  if (first?.hash !== letter.hash) await store.insert(letters, [{ ...letter, _id: `${letter._id}.${letter.hash}` }])
}

export function letterOf({ id, hash, reason, event, domain, stream, attempts = 0 }: Unapplied, now: number): Document {
  const { data, ...attributes } = event
  const at = new Date(now).toISOString()
  const partition = Number(event.knativekafkapartition)
  const offset = Number(event.knativekafkaoffset)
  return {
    _id: id,
    hash,
    at,
    domain: domain ?? '',
    stream: stream ?? '',
    error: reason,
    attempts,
    record: { topic: topicOf(event) ?? '', partition, offset },
    event: { ...(attributes as Fields), ...dataOf(data) },
  }
}

/** As the JSON format of CloudEvents has it: text as it is, bytes that are not text in base64. */
function dataOf(data: unknown): Fields {
  if (data === undefined || data === null) return {}
  if (!Buffer.isBuffer(data)) return { data: typeof data === 'string' ? data : JSON.stringify(data) }
  const text = data.toString('utf8')
  return Buffer.from(text, 'utf8').equals(data) ? { data: text } : { data_base64: data.toString('base64') }
}
