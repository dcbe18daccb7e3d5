import { ANONYMOUS, bodyHash, commandHash, derivedId, newId } from '#core/ids.ts'
import type { NewRecord } from '#core/log.ts'
import { JSON_TYPE } from '#core/media-types.ts'
import { Problem } from '#core/problem.ts'
import type { Address, Addresses } from '#core/receipts.ts'
import type { KnownType } from '#core/registry.ts'
import type { Seals } from '#core/seals.ts'
import type { Caller, Fields, Topic } from '#domains/domain.ts'
import { readKey } from './parse-request.ts'
import type { Submission } from './submit.ts'

interface CommandIdentity {
  id: string
  /** The name under which this instance remembers the use of the key. Absent without a key, because nothing can repeat the command. */
  use?: string
  /** The Idempotency-Key that stands for this command alone, if the client has one. */
  key?: string
  /** The command that the key is known to stand for, when the key is a receipt address. */
  first?: Address
}

export interface IdentifiedBy {
  known: KnownType
  data: Fields
  caller: Caller
  submission: Submission
  expectedVersion: number | undefined
  time: number
}

/**
 * Returns a function that gives a command its id: a new one, or the one that this caller's key stands for in this domain. The key in a
 * body has priority and means the same in every line of a batch. A key of the request is another key for each line.
 */
export const commandIds =
  (addresses: Addresses) =>
  (command: IdentifiedBy): CommandIdentity => {
    const { known, data, submission, time } = command
    const { line = 0 } = submission
    const chosen = chosenId(known, data)
    if (chosen !== undefined) return { id: chosen, use: chosen }
    // This comes first, because an unreadable key is refused even when another one has priority.
    const key = readKey(submission)
    const own = known.command.key?.(data)
    if (own !== undefined) return { ...keyed(command, own, 0), key: own }
    if (submission.key) return keyed(command, submission.key, 0)
    if (key === undefined) return { id: newId(time) }
    const first = addressIn(key, known.domain.name, addresses, time)
    if (first) return { id: first.id, use: first.id, key, first }
    return { ...keyed(command, key, line), ...(line > 0 ? {} : { key }) }
  }

/**
 * Each caller with a token has separate keys. Anonymous callers can't be told apart, so the body belongs to their key: with the same
 * body it is the same command, whoever sends it. With another body it is another command, so nobody can take a key from somebody else.
 * This instance remembers their keys by the address that they come from.
 */
function keyed(command: IdentifiedBy, key: string | string[], line: number): CommandIdentity {
  const { known, data, caller, submission, expectedVersion } = command
  const scope = [known.domain.name, caller.id, key, line]
  if (caller.id !== ANONYMOUS) {
    const id = derivedId(...scope)
    return { id, use: id }
  }
  const id = derivedId(...scope, known.type, JSON.stringify(data), String(expectedVersion))
  return { id, use: submission.from === undefined ? id : derivedId(...scope, submission.from) }
}

/** Not a UUID, and only characters that a receipt address may contain. */
const CHOSEN_ID = /^(?![0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[\w-]+$/i

/** The id that the sender of an import chose. It can't equal a generated id, because those are UUIDs. */
function chosenId({ type, command }: KnownType, data: Fields): string | undefined {
  const id = command.id?.(data)
  if (id !== undefined && !CHOSEN_ID.test(id))
    throw new Error(
      `${type} takes the id ${id} from its sender, which is a UUID or has other characters than \\w and -`,
    )
  return id
}

/** Throws 400 for a batch whose key is a receipt address, because its lines would be one command; and 410 for an expired one. */
export function assertNoReceiptKey(
  submission: Submission,
  { domain }: KnownType,
  addresses: Addresses,
  now: number,
): void {
  const key = readKey(submission)
  if (key === undefined || addressIn(key, domain.name, addresses, now) === undefined) return
  const detail = 'A receipt address stands for one command, so it can not be the key of a batch.'
  throw new Problem(400, 'Bad Idempotency-Key', detail)
}

/**
 * A receipt address is a key too: it stands for the command that it was issued for, so a command without a key can be repeated. The
 * key may be the path, the URL or the last segment of the address. Undefined for an ordinary key, even if it looks like an address.
 * Throws 410 for an address that has expired.
 */
function addressIn(key: string, domain: string, addresses: Addresses, now: number): Address | undefined {
  const address = key.slice(key.lastIndexOf('/') + 1)
  if (!address.startsWith(`${domain}.`)) return undefined
  try {
    return addresses.verify(address, now)
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined
    throw error
  }
}

/** A command that publish accepted, on its way to the log. */
export interface AcceptedCommand {
  id: string
  type: string
  stream: string
  /** Milliseconds since the epoch. */
  time: number
  actor: string
  /** The caller's scopes that the domain's rules may check. */
  scopes?: string[]
  traceparent: string
  data: Fields
  /** The version that the client expects the stream to have. */
  expectedVersion?: number | undefined
}

export interface CommandRecord {
  record: NewRecord
  /** The hash of the command's body. */
  hash: string
}

/**
 * The record of a command: a CloudEvent in binary mode, keyed by its stream. persist trusts the seal alone. The attributes beside it
 * are for other readers of the topic, and for the persist of version 0.1.
 */
export function toRecord(command: AcceptedCommand, topic: Topic, { seal }: Seals): CommandRecord {
  const { id, type, stream, actor, scopes, expectedVersion } = command
  const time = new Date(command.time).toISOString()
  const value = topic.record ? topic.record.encode(command.data, { id, time }) : JSON.stringify(command.data)
  const hash = commandHash({ type, data: command.data, value, expectedVersion }, topic)
  const isBody = !topic.record?.stamped && expectedVersion === undefined
  const streamAttribute = attribute(stream)
  const hasScopes = scopes !== undefined && scopes.length > 0
  return {
    hash,
    record: {
      key: stream,
      value,
      headers: {
        'content-type': topic.record?.contentType ?? JSON_TYPE,
        ce_specversion: '1.0',
        ce_id: id,
        ce_source: `/millrace/publish#${topic.name}`,
        ce_type: type,
        ce_subject: streamAttribute,
        ce_partitionkey: streamAttribute,
        ce_time: time,
        ce_bodyhash: hash,
        ce_actor: attribute(actor),
        ce_traceparent: command.traceparent,
        ...(hasScopes ? { ce_scopes: scopes.join() } : {}),
        ...(expectedVersion === undefined ? {} : { ce_expectedversion: String(expectedVersion) }),
        ce_seal: seal({
          topic: topic.name,
          id,
          type,
          time: command.time,
          stream,
          actor,
          ...(hasScopes ? { scopes } : {}),
          ...(expectedVersion === undefined ? {} : { expectedVersion }),
          body: hash,
          ...(isBody ? {} : { value: bodyHash(type, value) }),
        }),
      },
    },
  }
}

/** The limit for attributes that a client can influence. A seal is as long as it has to be. */
const MAX_ATTRIBUTE_BYTES = 256

/**
 * The value in printable ASCII, with the rest percent-encoded. A KafkaSource loses a record whose attributes it can't put in a header.
 * Throws 422 for a value that is too long.
 */
export function attribute(value: string): string {
  const encoded = /^[!#$&-[\]-~]*$/.test(value) ? value : encodeURI(value)
  if (encoded.length > MAX_ATTRIBUTE_BYTES) {
    const detail = `${value.slice(0, 64)}... is too long: a stream name has at most ${MAX_ATTRIBUTE_BYTES} bytes once percent-encoded.`
    throw new Problem(422, 'Invalid command', detail)
  }
  return encoded
}
