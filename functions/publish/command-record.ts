import { bodyHash, commandHash } from '#core/ids.ts'
import type { NewRecord } from '#core/log.ts'
import { JSON_TYPE } from '#core/media-types.ts'
import { Problem } from '#core/problem.ts'
import type { Seals } from '#core/seals.ts'
import type { Fields, Topic } from '#domains/domain.ts'

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
