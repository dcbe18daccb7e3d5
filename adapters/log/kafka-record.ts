import type { KafkaMessage, Message } from 'kafkajs'
import type { LogRecord, NewRecord } from '#core/log.ts'

const OVERHEAD_BYTES = 100

/** An upper bound of the bytes that a new record takes in a send. */
export function sizeLimitOf({ key, value, headers = {} }: NewRecord): number {
  let bytes = OVERHEAD_BYTES + lengthLimit(key) + lengthLimit(value)
  for (const name in headers) bytes += name.length + lengthLimit(headers[name] ?? null) + 4
  return bytes
}

/** No character takes more than three bytes for each of its UTF-16 units, so short text needs no count. */
const lengthLimit = (value: string | Uint8Array | null): number =>
  typeof value === 'string' ? (value.length > 1000 ? Buffer.byteLength(value) : value.length * 3) : (value?.length ?? 0)

const toBuffer = (value: string | Uint8Array): Buffer | string =>
  typeof value === 'string' ? value : Buffer.from(value)

export function toMessage({ key, value, headers = {} }: NewRecord, partition: number): Message {
  const copied: Record<string, Buffer | string> = {}
  for (const name in headers) copied[name] = toBuffer(headers[name] as string)
  return {
    partition,
    key: key === null ? null : toBuffer(key),
    value: value === null ? null : toBuffer(value),
    headers: copied,
  }
}

/** The bytes of a record's key, value and header values. */
export const sizeOf = ({ key, value, headers }: LogRecord): number =>
  headers.reduce((sum, [, value]) => sum + value.length, (key?.length ?? 0) + (value?.length ?? 0))

export function toRecord(partition: number, { offset, timestamp, key, value, headers = {} }: KafkaMessage): LogRecord {
  return {
    partition,
    offset: Number(offset),
    time: Number(timestamp),
    key,
    value,
    headers: Object.entries(headers).flatMap(([name, given]) =>
      [given ?? ''].flat().map((one): [string, Buffer] => [name, Buffer.from(one as string)]),
    ),
  }
}
