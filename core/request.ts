import { randomBytes } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import FindMyWay, { type HTTPMethod } from 'find-my-way'
import { JSON_TYPE } from './media-types.ts'
import { Problem } from './problem.ts'

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
  /** The domain that serves the request, and the type of its command, for the log. The function sets it. */
  servedBy?: ServedBy
}

export interface ServedBy {
  domain: string
  type?: string
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

/** A signal that aborts when the emitter emits the event, or at once if that has happened already. */
export function abortedBy(emitter: EventEmitter, event: string, hasHappened: boolean): AbortSignal {
  const controller = new AbortController()
  if (hasHappened) controller.abort()
  else emitter.once(event, () => controller.abort())
  return controller.signal
}

export interface Match<Target> {
  target: Target
  /** The declared path, for metrics. */
  path: string
  params: Record<string, string | undefined>
}

/** A route. Its path is written as in OpenAPI: `/api/tutorials/{id}`. */
export interface RouteEntry<Target> {
  method: HTTPMethod
  path: string
  target: Target
}

/**
 * Returns a function that finds the target of a request. It throws 404 for an unknown path, and 405 with `Allow` for a known one. A path
 * without parameters has priority: methods of a pattern that matches it too do not apply.
 */
export function router<Target>(entries: RouteEntry<Target>[]): (method: string, path: string) => Match<Target> {
  const routes = FindMyWay({ ignoreTrailingSlash: true, maxParamLength: 1024 })
  const methods = new Set<HTTPMethod>()
  const literal = new Map<string, Set<HTTPMethod>>()
  for (const { method, path, target } of entries) {
    if (!path.includes('{')) literal.set(path, (literal.get(path) ?? new Set()).add(method))
    routes.on(method, path.replaceAll(/\{(\w+)\}/g, ':$1'), () => {}, { target, path })
    methods.add(method)
  }
  return (method, path) => {
    const wanted = (method === 'HEAD' ? 'GET' : method) as HTTPMethod
    const found = routes.find(wanted, path)
    const own = literal.get(path.replace(/(?<=.)\/$/, ''))
    if (found && own?.has(wanted) !== false)
      return { ...(found.store as Pick<Match<Target>, 'target' | 'path'>), params: found.params }
    const allowed = [...(own ?? methods)].filter((other) => routes.find(other, path))
    if (allowed.length === 0) throw new Problem(404, 'Not found', `There is nothing at ${path}.`)
    if (allowed.includes('GET')) allowed.push('HEAD')
    const allow = allowed.sort().join(', ')
    throw new Problem(405, 'Method not allowed', `${path} accepts ${allow}.`, { headers: { allow } })
  }
}

/** The names of the parameters in a path, or of the placeholders in an address. */
export const namesIn = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
