import { isUtf8 } from 'node:buffer'
import { PLAIN } from '#core/delivery.ts'
import type { LogRecord } from '#core/log.ts'

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

export interface Attributes {
  specversion: string
  id: string
  source: string
  type: string
  [extension: string]: string
}

/** A CloudEvent in binary mode, over any protocol. The attributes have their bare names, and the data is not parsed. */
export interface BinaryEvent {
  attributes: Attributes
  contentType: string | undefined
  data: Buffer | string | null
}

const REQUIRED = ['id', 'source', 'type']
const VERSION = /^(1\.0|0\.3)$/
const NAME = /^[a-z0-9]+$/

/** True when the attributes are those of a CloudEvent. */
export function isCloudEvent(attributes: Record<string, string>): attributes is Attributes {
  if (!VERSION.test(attributes.specversion ?? '')) return false
  for (const name in attributes) if (!NAME.test(name)) return false
  return REQUIRED.every((name) => attributes[name])
}

export const isStructured = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/cloudevents\+json(?:$|[\s;])/i.test(contentType)

/** The event in a structured JSON document, or undefined if there is none. */
export function parseStructured(json: Buffer): BinaryEvent | undefined {
  const event = parsed(json)
  if (event === null || typeof event !== 'object' || Array.isArray(event)) return undefined
  const { data, data_base64, datacontenttype, ...rest } = event as Record<string, unknown>
  const given = Object.entries(rest).filter(([, value]) => value !== null)
  if (given.some(([, value]) => typeof value === 'object')) return undefined
  const attributes = Object.fromEntries(given.map(([name, value]) => [name, String(value)]))
  if (!isCloudEvent(attributes)) return undefined
  const type = typeof datacontenttype === 'string' ? datacontenttype : undefined
  if (typeof data_base64 === 'string') {
    return { attributes, contentType: type, data: Buffer.from(data_base64, 'base64') }
  }
  if (data === undefined || data === null) return { attributes, contentType: type, data: null }
  const contentType = type ?? 'application/json'
  const isText = typeof data === 'string' && !/^[^;]*json/i.test(contentType)
  return { attributes, contentType, data: isText ? data : JSON.stringify(data) }
}

function parsed(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'))
  } catch {
    return undefined
  }
}
