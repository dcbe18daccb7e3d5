import { Problem } from '#adapters/host/http.ts'
import type { NewRecord } from '#adapters/log/log.ts'
import type { Fields, Topic } from '#domains/domain.ts'
import { hashOf } from '../ids.ts'

/** A command that publish accepted, on its way to the log. */
export interface Accepted {
  id: string
  type: string
  stream: string
  /** Milliseconds since the epoch. */
  time: number
  actor: string
  /** Those that the domain's rules may ask for. */
  scopes?: string[]
  traceparent: string
  data: Fields
  /** The version that the client expects the stream to have. */
  expectedVersion?: number | undefined
}

export interface Sealed {
  record: NewRecord
  hash: string
}

/** The record of a command: a CloudEvent in binary mode, keyed by its stream. */
export function seal(command: Accepted, topic: Topic): Sealed {
  const time = new Date(command.time).toISOString()
  const value = topic.record
    ? topic.record.encode(command.data, { id: command.id, time })
    : JSON.stringify(command.data)
  const hash = hashOf(command.type, command.data, value, topic, command.expectedVersion)
  const stream = attribute(command.stream)
  return {
    hash,
    record: {
      key: command.stream,
      value,
      headers: {
        'content-type': topic.record?.contentType ?? 'application/json',
        ce_specversion: '1.0',
        ce_id: command.id,
        ce_source: `/millrace/publish#${topic.name}`,
        ce_type: command.type,
        ce_subject: stream,
        ce_partitionkey: stream,
        ce_time: time,
        ce_bodyhash: hash,
        ce_actor: attribute(command.actor),
        ce_traceparent: command.traceparent,
        ...(command.scopes?.length ? { ce_scopes: command.scopes.join() } : {}),
        ...(command.expectedVersion === undefined ? {} : { ce_expectedversion: String(command.expectedVersion) }),
      },
    },
  }
}

const MAX_ATTRIBUTE_BYTES = 256

/** KafkaSource loses a record whose attributes it can't put in a header: printable ASCII only, the rest percent-encoded. */
export function attribute(value: string): string {
  const encoded = /^[!#$&-[\]-~]*$/.test(value) ? value : encodeURI(value)
  if (encoded.length > MAX_ATTRIBUTE_BYTES) {
    const detail = `${value.slice(0, 64)}... is too long: what a command is about takes ${MAX_ATTRIBUTE_BYTES} bytes at most, once encoded.`
    throw new Problem(422, 'Invalid command', detail)
  }
  return encoded
}
