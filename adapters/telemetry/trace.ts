import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export interface Trace {
  /** W3C Trace Context, as it goes on to the event. */
  traceparent: string
  traceId: string
}

const FORM = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** The trace that a request belongs to, or a new one. */
export function traceOf(headers: IncomingHttpHeaders): Trace {
  const given = headers.traceparent
  const traceId = typeof given === 'string' ? FORM.exec(given)?.[1] : undefined
  if (traceId) return { traceparent: given as string, traceId }
  const random = randomUUID().replaceAll('-', '')
  const made = `${random}-${random.slice(12, 28)}`
  return { traceparent: `00-${made}-01`, traceId: random }
}
