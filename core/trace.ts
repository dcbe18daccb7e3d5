import { randomBytes } from 'node:crypto'
import type { Headers } from './request.ts'

export interface Trace {
  /** W3C Trace Context, as the event carries it. */
  traceparent: string
  traceId: string
}

const FORM = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** The trace of a request, or a new one. */
export function traceOf(headers: Headers): Trace {
  const given = headers.traceparent
  const traceId = typeof given === 'string' ? FORM.exec(given)?.[1] : undefined
  return traceId ? { traceparent: given as string, traceId } : newTrace()
}

const ID_DIGITS = 48
let random = ''
let used = 0

/** Draws random bytes for 128 traces at once, because every request without a trace needs one. */
function newTrace(): Trace {
  if (used === random.length) {
    random = randomBytes(ID_DIGITS * 128).toString('hex')
    used = 0
  }
  const traceId = random.slice(used, used + 32)
  const spanId = random.slice(used + 32, used + ID_DIGITS)
  used += ID_DIGITS
  return { traceparent: `00-${traceId}-${spanId}-01`, traceId }
}
