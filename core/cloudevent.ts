import { hash } from 'node:crypto'
import { type Delivery, MALFORMED, PLAIN } from './delivery.ts'
import { isDeeper } from './json.ts'
import type { Headers } from './request.ts'

const REQUIRED = ['specversion', 'id', 'source', 'type'] as const
/** The number of bytes that a letter keeps of an oversized body. It is fixed, so that the id does not depend on the chunks of the body. */
export const KEPT_BYTES = 64 * 1024
/** The headers that a letter leaves out, because letters are listed. */
const CREDENTIALS = new Set(['authorization', 'cookie', 'proxy-authorization'])

/** The attributes that persist needs of a malformed delivery: whether it is a copy, and which stream waits for it. */
const keptAttributes = (headers: Headers): string[] =>
  headers['ce-type'] === PLAIN ? ['knativeerrordest'] : ['knativeerrordest', 'partitionkey']
/** Deeper JSON can be parsed, but not written again. */
const MAX_DEPTH = 500

class NotAnEvent extends Error {}

/** Parses a body of JSON. */
type ParseJson = (body: Buffer) => unknown

/**
 * The CloudEvent in a request, in binary or structured mode. A request without a valid event becomes an event of type MALFORMED around its
 * content, so that persist can keep it: no delivery of a KafkaSource may be lost. Errors of `parse` are thrown.
 */
export function toDelivery(headers: Headers, body: Buffer, parse: ParseJson = parseJson): Delivery {
  const type = mediaType(headers['content-type'])
  try {
    const isStructured = type.startsWith('application/cloudevents')
    const event = isStructured ? structured(type, body, parse) : binary(headers, type, body, parse)
    const missing = REQUIRED.filter((name) => !event[name])
    if (missing.length > 0) throw new NotAnEvent(`not a CloudEvent: it has no ${missing.join(', ')}`)
    if (event.specversion !== '1.0')
      throw new NotAnEvent(`a CloudEvent of the unknown specversion ${event.specversion}`)
    return event as Delivery
  } catch (error) {
    if (error instanceof NotAnEvent) return malformed(headers, body, error.message)
    throw error
  }
}

/** An event of type MALFORMED for a body of which only the beginning was read. */
export const oversizedDelivery = (headers: Headers, head: Buffer, reason: string): Delivery => ({
  ...malformed(headers, head, reason),
  truncated: 'true',
})

/** The id depends on the request alone, so that repeated deliveries become one letter. */
function malformed(headers: Headers, body: Buffer, reason: string): Delivery {
  const source = text(headers['ce-source']) || 'unknown'
  const partition = text(headers['ce-knativekafkapartition'])
  const offset = text(headers['ce-knativekafkaoffset'])
  const id = text(headers['ce-id'])
  // A copy on the error topic keeps its id, but has another partition and offset.
  const identity = [source, ...(id ? [id] : [partition, offset]), hash('sha256', body)]
  const kept = keptAttributes(headers).flatMap((name) =>
    headers[`ce-${name}`] ? [[name, attribute(text(headers[`ce-${name}`]))]] : [],
  )
  const received = Object.entries(headers).flatMap(([name, value]) =>
    CREDENTIALS.has(name) ? [] : [[name, text(value)]],
  )
  return {
    specversion: '1.0',
    id: `malformed-${hash('sha256', identity.join('\n')).slice(0, 32)}`,
    source,
    type: MALFORMED,
    time: new Date().toISOString(),
    reason,
    received: JSON.stringify(Object.fromEntries(received)),
    ...Object.fromEntries(kept),
    ...(partition ? { knativekafkapartition: partition } : {}),
    ...(offset ? { knativekafkaoffset: offset } : {}),
    data: body,
  }
}

const text = (value: string | string[] | undefined): string => (Array.isArray(value) ? value.join(', ') : (value ?? ''))

const mediaType = (header: string | undefined): string => header?.split(';', 1)[0]?.trim().toLowerCase() ?? ''

function binary(headers: Headers, type: string, body: Buffer, parse: ParseJson): Partial<Delivery> {
  const event: Partial<Delivery> = {}
  for (const name in headers) {
    if (name.startsWith('ce-')) event[name.slice(3)] = attribute(headers[name] as string)
  }
  if (headers['content-type']) event.datacontenttype = headers['content-type']
  if (body.length > 0) event.data = dataOf(type, body, parse)
  return event
}

/** Removes quotes and percent-encoding (HTTP binding 3.1.3.2). A value that was never encoded stays unchanged. */
function attribute(header: string): string {
  const value = /^".*"$/s.test(header) ? header.slice(1, -1).replaceAll(/\\(.)/gs, '$1') : header
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** Decodes the attributes of an event from the bare framework, which leaves them as they are in their headers. */
export const decodeAttributes = (event: Delivery): Delivery => {
  const attributes = Object.entries(event).map(([name, value]) => [
    name,
    typeof value === 'string' && name !== 'data' ? attribute(value) : value,
  ])
  return Object.fromEntries(attributes) as Delivery
}

function dataOf(type: string, body: Buffer, parse: ParseJson): unknown {
  if (isJson(type)) return parse(body)
  return type.startsWith('text/') ? body.toString('utf8') : body
}

const isJson = (type: string): boolean => type.endsWith('/json') || type.endsWith('+json')

function structured(type: string, body: Buffer, parse: ParseJson): Partial<Delivery> {
  if (type !== 'application/cloudevents+json') throw new NotAnEvent(`in the unsupported format ${type}`)
  const given = parse(body)
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw new NotAnEvent('not a CloudEvent: it is not an object')
  }
  const { data, data_base64: base64, ...attributes } = given as Record<string, unknown>
  const event: Partial<Delivery> = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) continue
    if (typeof value === 'object') throw new NotAnEvent(`not a CloudEvent: the attribute ${name} is not a simple value`)
    event[name] = String(value)
  }
  if (typeof base64 === 'string') {
    event.data = dataOf(mediaType(event.datacontenttype), Buffer.from(base64, 'base64'), parse)
  } else if (data !== undefined) event.data = data
  return event
}

function parseJson(body: Buffer): unknown {
  const text = body.toString('utf8')
  if (isDeeper(text, MAX_DEPTH)) throw new NotAnEvent(`JSON with more than ${MAX_DEPTH} nested levels`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new NotAnEvent(`broken JSON: ${(cause as Error).message}`, { cause })
  }
}

/**
 * The value as text. JSON that the host parsed is serialised again. Empty for a value that can't be serialised: JSON that is
 * nested thousands of times, which functions-framework parses.
 */
export function textOf(data: unknown): string {
  if (data === undefined || data === null) return ''
  if (typeof data === 'string') return data
  if (Buffer.isBuffer(data)) return data.toString('utf8')
  try {
    return JSON.stringify(data)
  } catch {
    return ''
  }
}
