import { randomBytes } from 'node:crypto'
import { JSON_TYPE } from './media-types.ts'

/** The headers of a request as Node parses them, with names in lower case. Only the listed ones are certain to be single strings. */
export interface Headers {
  readonly [name: string]: string | string[] | undefined
  readonly accept?: string | undefined
  readonly authorization?: string | undefined
  readonly 'content-type'?: string | undefined
  readonly 'if-match'?: string | undefined
  readonly 'if-none-match'?: string | undefined
}

/** A request as functions see it, whether our host or the bare functions-framework serves it. */
export interface Request {
  method: string
  path: string
  query: URLSearchParams
  headers: Headers
  body: Buffer
  trace: Trace
  /**
   * The addresses in `X-Forwarded-For`, then that of the connection. Clients behind a proxy that sets no such header share theirs. Absent
   * if the network does not reveal an address.
   */
  from?: string | undefined
  /** The address of the connection's other end, which may be a proxy. */
  address?: string | undefined
  /** The time at which the whole request had arrived, in milliseconds since the epoch. Functions fall back to their own start. */
  arrived?: number | undefined
  /** Aborts when the client disconnects. */
  signal: AbortSignal
  /** Aborts when the host drains. An endless response then ends itself. */
  closing: AbortSignal
  /** The pattern that the path matched, for the metrics. The function sets it. */
  route: string
}

/** A streamed body that throws before its first chunk becomes a problem. Later errors break the connection off. */
export interface Response {
  status: number
  headers?: Record<string, string>
  body?: string | AsyncIterable<string>
}

export const jsonResponse = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  headers: { 'content-type': JSON_TYPE, ...headers },
  body: JSON.stringify(body),
})

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
