import { hash } from 'node:crypto'
import { type Delivery, MALFORMED, PLAIN } from './delivery.ts'
import { isDeeper } from './json.ts'
import type { Headers } from './request.ts'

const REQUIRED = ['specversion', 'id', 'source', 'type'] as const
/** What is kept of a body that is too large: always as much, so that its id does not depend on how it arrived. */
export const KEPT_BYTES = 64 * 1024
/** Letters are listed: they hold no credentials. */
const SECRET = new Set(['authorization', 'cookie', 'proxy-authorization'])

/** What persist has to know of a request that holds no event: whether it is a copy, and which stream waits for it. */
const keptOf = (headers: Headers): string[] =>
  headers['ce-type'] === PLAIN ? ['knativeerrordest'] : ['knativeerrordest', 'partitionkey']
/** What is nested deeper can be read, but not written again. */
const DEEPEST = 500

class NotAnEvent extends Error {}

/** Parses a body of JSON. */
type ParseJson = (body: Buffer) => unknown

/**
 * The event in a request, binary or structured. A request that holds none becomes an event of type MALFORMED around what
 * came, so that persist can keep it: nothing that a KafkaSource delivers may be dropped at the door. What `parse` throws is
 * thrown.
 */
export function eventOf(headers: Headers, body: Buffer, parse: ParseJson = parsed): Delivery {
  const type = mediaType(headers['content-type'])
  try {
    const isStructured = type.startsWith('application/cloudevents')
    const event = isStructured ? structured(type, body, parse) : binary(headers, type, body, parse)
    const missing = REQUIRED.filter((name) => !event[name])
    if (missing.length > 0) throw new NotAnEvent(`not a CloudEvent: no ${missing.join(', ')}`)
    if (event.specversion !== '1.0') throw new NotAnEvent(`unknown specversion ${event.specversion}`)
    return event as Delivery
  } catch (error) {
    if (error instanceof NotAnEvent) return malformed(headers, body, error.message)
    throw error
  }
}

/** An event of type MALFORMED for a body of which only the beginning is known. */
export const oversized = (headers: Headers, head: Buffer, reason: string): Delivery => ({
  ...malformed(headers, head, reason),
  truncated: 'true',
})

/** The same request gets the same id however often it is delivered: so it becomes one letter. */
function malformed(headers: Headers, body: Buffer, reason: string): Delivery {
  const source = text(headers['ce-source']) || 'unknown'
  const partition = text(headers['ce-knativekafkapartition'])
  const offset = text(headers['ce-knativekafkaoffset'])
  const id = text(headers['ce-id'])
  // A copy on the error topic keeps its id, and stands elsewhere.
  const identity = [source, ...(id ? [id] : [partition, offset]), hash('sha256', body)]
  const kept = keptOf(headers).flatMap((name) =>
    headers[`ce-${name}`] ? [[name, attribute(text(headers[`ce-${name}`]))]] : [],
  )
  const received = Object.entries(headers).flatMap(([name, value]) => (SECRET.has(name) ? [] : [[name, text(value)]]))
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

/** HTTP binding 3.1.3.2: quotes are taken off, then percent-encoding. What was never encoded stays as it is. */
function attribute(header: string): string {
  const value = /^".*"$/s.test(header) ? header.slice(1, -1).replaceAll(/\\(.)/gs, '$1') : header
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** An event of the bare framework, which leaves attributes as they stand in their headers. */
export const decodedOf = (event: Delivery): Delivery => {
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
  if (type !== 'application/cloudevents+json') throw new NotAnEvent(`${type} is no format that is read here`)
  const given = parse(body)
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw new NotAnEvent('not a CloudEvent: no object')
  }
  const { data, data_base64: base64, ...attributes } = given as Record<string, unknown>
  const event: Partial<Delivery> = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) continue
    if (typeof value === 'object') throw new NotAnEvent(`not a CloudEvent: ${name} is not a simple value`)
    event[name] = String(value)
  }
  if (typeof base64 === 'string') {
    event.data = dataOf(mediaType(event.datacontenttype), Buffer.from(base64, 'base64'), parse)
  } else if (data !== undefined) event.data = data
  return event
}

function parsed(body: Buffer): unknown {
  const text = body.toString('utf8')
  if (isDeeper(text, DEEPEST)) throw new NotAnEvent(`JSON is nested more than ${DEEPEST} times`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new NotAnEvent(`broken JSON: ${(cause as Error).message}`, { cause })
  }
}
