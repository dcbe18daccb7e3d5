import { isUtf8 } from 'node:buffer'
import { PLAIN } from '#core/delivery.ts'
import type { LogRecord } from '#core/log.ts'
import { type Attributes, type BinaryEvent, isCloudEvent, isStructured, parseStructured } from './binary-event.ts'

/** The HTTP request that delivers a record. */
export interface CloudEventRequest {
  headers: Record<string, string>
  body: Buffer | string | null
}

export interface Origin {
  namespace: string
  name: string
  topic: string
}

/**
 * The request that KafkaSource sends for a record: always a CloudEvent in binary mode. A record that is not a CloudEvent is
 * wrapped into one. Throws for a record that no request can carry.
 */
export function recordToRequest(record: LogRecord, origin: Origin): CloudEventRequest {
  const named = new Map<string, string>()
  for (const [name, value] of record.headers) named.set(name.toLowerCase(), value.toString('utf8'))
  const { attributes, contentType, data } = eventIn(record, named) ?? wrap(record, named, origin)
  const headers: Record<string, string> = {}
  for (const name in attributes) headers[`ce-${name}`] = toHeaderValue(name, attributes[name] as string)
  if (contentType) headers['content-type'] = toHeaderValue('content-type', contentType)
  headers['ce-knativekafkapartition'] = String(record.partition)
  headers['ce-knativekafkaoffset'] = String(record.offset)
  headers.prefer = 'reply'
  headers['kn-namespace'] = origin.namespace
  return { headers, body: data }
}

function eventIn({ value }: LogRecord, headers: Map<string, string>): BinaryEvent | undefined {
  const contentType = headers.get('content-type')
  if (value && isStructured(contentType)) return parseStructured(value)
  const attributes: Record<string, string> = {}
  for (const [name, text] of headers) if (name.startsWith('ce_')) attributes[name.slice(3)] = text
  return isCloudEvent(attributes) ? { attributes, contentType, data: value } : undefined
}

function wrap(record: LogRecord, headers: Map<string, string>, { namespace, name, topic }: Origin): BinaryEvent {
  const { partition, offset, time, key, value } = record
  if (key && !isUtf8(key)) throw new Error('its key is not valid UTF-8')
  const attributes: Attributes = {
    specversion: '1.0',
    id: `partition:${partition}/offset:${offset}`,
    type: PLAIN,
    source: `/apis/v1/namespaces/${namespace}/kafkasources/${name}#${topic}`,
    subject: `partition:${partition}#${offset}`,
    time: new Date(time).toISOString(),
  }
  if (key) attributes.key = attributes.partitionkey = key.toString('utf8')
  for (const [header, text] of headers) {
    if (header !== 'content-type') attributes[`kafkaheader${header.replaceAll(/[^a-z0-9]/g, '')}`] = text
  }
  return { attributes, contentType: headers.get('content-type')?.toLowerCase(), data: value }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression looks for them
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/
const PRINTABLE = /^[\x20-\x7e]*$/

/**
 * The value as KafkaSource's HTTP client (Vert.x on netty) writes it: without percent-encoding, one byte for each UTF-16
 * unit, and "?" for a character that Latin-1 lacks. undici writes header strings as Latin-1.
 */
function toHeaderValue(name: string, value: string): string {
  if (PRINTABLE.test(value)) return value
  if (CONTROL.test(value)) throw new Error(`${name} contains a control character`)
  return value.replaceAll(/[\u0100-\uffff]/g, '?')
}
