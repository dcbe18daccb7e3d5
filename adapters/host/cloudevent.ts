import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type Event, MALFORMED } from '../event.ts'

const REQUIRED = ['specversion', 'id', 'source', 'type'] as const
/** What is kept of a body that is too large. */
export const KEPT_BYTES = 64 * 1024

/**
 * The event in a request, binary or structured. A request that holds none becomes an event of type MALFORMED around what
 * came, so that persist can keep it: nothing that a KafkaSource delivers may be dropped at the door.
 */
export function eventOf(headers: IncomingHttpHeaders, body: Buffer): Event {
  const type = mediaType(headers['content-type'])
  try {
    const event = type === 'application/cloudevents+json' ? structured(body) : binary(headers, type, body)
    const missing = REQUIRED.filter((name) => typeof event[name] !== 'string' || event[name] === '')
    if (missing.length > 0) return malformed(headers, body, `not a CloudEvent: no ${missing.join(', ')}`)
    if (event.specversion !== '1.0') return malformed(headers, body, `unknown specversion ${event.specversion}`)
    return event as Event
  } catch (error) {
    return malformed(headers, body, (error as Error).message)
  }
}

/** `body` may be the beginning of one that is too large. */
export function malformed(headers: IncomingHttpHeaders, body: Buffer, reason: string): Event {
  const source = text(headers['ce-source']) || 'unknown'
  const partition = text(headers['ce-knativekafkapartition'])
  const offset = text(headers['ce-knativekafkaoffset'])
  const place = [source, headers['ce-id'], partition, offset, hash('sha256', body)].join('\n')
  const received = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, text(value)]))
  return {
    specversion: '1.0',
    id: `malformed-${hash('sha256', place).slice(0, 32)}`,
    source,
    type: MALFORMED,
    time: new Date().toISOString(),
    reason,
    received: JSON.stringify(received),
    ...(partition ? { knativekafkapartition: partition } : {}),
    ...(offset ? { knativekafkaoffset: offset } : {}),
    data: body.subarray(0, KEPT_BYTES),
  }
}

const text = (value: string | string[] | undefined): string => (Array.isArray(value) ? value.join(', ') : (value ?? ''))

const mediaType = (header: string | undefined): string => header?.split(';', 1)[0]?.trim().toLowerCase() ?? ''

function binary(headers: IncomingHttpHeaders, type: string, body: Buffer): Partial<Event> {
  const event: Partial<Event> = {}
  for (const name in headers) {
    if (!name.startsWith('ce-')) continue
    const value = headers[name] as string
    event[name.slice(3)] = value.includes('%') ? decodeURIComponent(value) : value
  }
  if (headers['content-type']) event.datacontenttype = headers['content-type']
  if (body.length > 0) event.data = dataOf(type, body)
  return event
}

function dataOf(type: string, body: Buffer): unknown {
  if (type === 'application/json' || type.endsWith('+json')) return parsed(body.toString('utf8'))
  return type.startsWith('text/') ? body.toString('utf8') : body
}

function structured(body: Buffer): Partial<Event> {
  const event = parsed(body.toString('utf8'))
  if (event === null || typeof event !== 'object' || Array.isArray(event))
    throw new Error('not a CloudEvent: no object')
  const { data_base64, ...rest } = event as Partial<Event> & { data_base64?: unknown }
  return typeof data_base64 === 'string' ? { ...rest, data: Buffer.from(data_base64, 'base64') } : rest
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new Error(`broken JSON: ${(cause as Error).message}`, { cause })
  }
}
