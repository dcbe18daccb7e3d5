import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { logger } from '../telemetry/logger.ts'
import { failed } from '../telemetry/metrics.ts'
import { type Trace, traceOf } from '../telemetry/trace.ts'
import { Unavailable } from '../unavailable.ts'

/** What a function sees of a request, whoever serves it: our host or the bare functions-framework. */
export interface Request {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: Buffer
  trace: Trace
  /**
   * The network address of the client, after those that `X-Forwarded-For` names. Two clients behind the same proxy that names
   * none have the same. Absent where the network does not say.
   */
  from?: string | undefined
  /** Of the other end of the connection: behind a proxy that of the proxy. */
  address?: string | undefined
  /** When all of it was here, in milliseconds since the epoch; a function takes its own start where nobody says. */
  arrived?: number | undefined
  /** Aborts when the client goes away. */
  signal: AbortSignal
  /** Aborts when the host drains: an answer without an end ends itself. */
  closing: AbortSignal
  /** Set by a function once it knows: the pattern that the path matched, for the metrics. */
  route: string
}

/** A streamed body that throws before its first chunk becomes a problem; later it breaks the connection off. */
export interface Response {
  status: number
  headers?: Record<string, string>
  body?: string | AsyncIterable<string>
}

/** The signature that functions-framework calls and that the host calls too; both have read the body into `rawBody`. */
export type HttpFunction = (req: FunctionRequest, res: ServerResponse) => Promise<void>

export type FunctionRequest = IncomingMessage & { rawBody?: Buffer; matched?: string; closing?: AbortSignal }

/** An answer that is an error: RFC 9457. Throw it anywhere between the door and the log. */
export class Problem extends Error {
  override name = 'Problem'
  readonly status: number
  readonly title: string
  readonly headers: Record<string, string>
  readonly members: Record<string, unknown>

  /** `members` are extension members, such as `errors: [{ field, message }]` or `id`. */
  constructor(
    status: number,
    title: string,
    detail: string,
    options: ErrorOptions & { headers?: Record<string, string>; members?: Record<string, unknown> } = {},
  ) {
    super(detail, options)
    this.status = status
    this.title = title
    this.headers = options.headers ?? {}
    this.members = options.members ?? {}
  }
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})

const EMPTY = Buffer.alloc(0)
const NEVER = new AbortController().signal

/**
 * Makes a function of `handle`: whatever it throws becomes a problem+json answer, and nothing of its inside gets out.
 * Every answer carries `traceparent`.
 */
export function httpFunction(handle: (request: Request) => Promise<Response>): HttpFunction {
  return async (req, res) => {
    const trace = traceOf(req.headers)
    try {
      await write(res, await handle(new Incoming(req, res, trace)), trace)
    } catch (error) {
      if (res.destroyed) return
      const problem = asProblem(error, trace)
      if (res.headersSent && !res.writableEnded) res.destroy()
      await write(res, problemResponse(problem, trace), trace)
    }
  }
}

/** A class, for its getters are free until they are asked. */
class Incoming implements Request {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly trace: Trace
  readonly arrived = Date.now()
  readonly #req: FunctionRequest
  readonly #res: ServerResponse

  constructor(req: FunctionRequest, res: ServerResponse, trace: Trace) {
    const { url = '/', method = 'GET', headers, rawBody = EMPTY } = req
    const mark = url.indexOf('?')
    this.method = method
    this.path = mark < 0 ? url : url.slice(0, mark)
    this.headers = headers
    this.body = rawBody
    this.trace = trace
    this.#req = req
    this.#res = res
  }

  get query(): URLSearchParams {
    return new URLSearchParams((this.#req.url ?? '').slice(this.path.length))
  }

  get from(): string | undefined {
    return fromOf(this.headers, this.#req.socket.remoteAddress)
  }

  get address(): string {
    return this.#req.socket.remoteAddress ?? ''
  }

  get signal(): AbortSignal {
    const gone = new AbortController()
    if (this.#res.destroyed) gone.abort()
    this.#res.once('close', () => gone.abort())
    return gone.signal
  }

  get closing(): AbortSignal {
    return this.#req.closing ?? NEVER
  }

  get route(): string {
    return this.#req.matched ?? ''
  }

  set route(pattern: string) {
    this.#req.matched = pattern
  }
}

/** A client may claim any addresses, but each proxy appends the one that it sees: nobody can copy another's list whole. */
export const fromOf = (headers: IncomingHttpHeaders, peer: string | undefined): string | undefined =>
  peer === undefined ? undefined : `${headers['x-forwarded-for'] ?? ''} ${peer}`

/** What is told of an error, whatever it is; an outage and a bug are counted and logged. */
export function asProblem(error: unknown, { traceId }: Trace): Problem {
  const outage = [error, (error as Error | undefined)?.cause].find((reason) => reason instanceof Unavailable)
  if (outage) {
    failed(outage.what)
    logger.warn({ trace: traceId, err: outage }, 'unavailable')
  }
  if (error instanceof Problem) return error
  if (outage) {
    return new Problem(503, 'Unavailable', `The ${outage.what} is away.`, { headers: { 'retry-after': '1' } })
  }
  failed('bug')
  logger.error({ trace: traceId, err: error }, 'a request failed')
  return internalError()
}

/** All that a client gets to know of a bug. */
export const internalError = (): Problem =>
  new Problem(500, 'Internal error', 'This is a bug of ours. Its trace id leads us to it.')

export function problemResponse({ status, title, message, headers, members }: Problem, { traceId }: Trace) {
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: JSON.stringify({ type: 'about:blank', title, status, detail: message, traceid: traceId, ...members }),
  }
}

function write(res: ServerResponse, { status, headers, body }: Response, { traceparent }: Trace): Promise<void> | void {
  if (res.headersSent || res.destroyed) return
  if (typeof body === 'object') return stream(res, status, { ...headers, traceparent }, body)
  if (status === 204 || status === 304) res.writeHead(status, { ...headers, traceparent })
  else res.writeHead(status, { ...headers, traceparent, 'content-length': Buffer.byteLength(body ?? '') })
  res.end(body)
}

/** Reads on only as fast as the client does, and not after it has gone. */
async function stream(
  res: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: AsyncIterable<string>,
): Promise<void> {
  for await (const chunk of body) {
    if (res.destroyed) return
    if (!res.headersSent) res.writeHead(status, headers)
    if (res.req.method === 'HEAD') break
    if (!res.write(chunk)) await drained(res)
  }
  if (!res.headersSent) res.writeHead(status, headers)
  res.end()
}

/** Resolves when there is room again, or nobody left to write to. */
const drained = (res: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      res.off('drain', done)
      res.off('close', done)
      resolve()
    }
    res.once('drain', done)
    res.once('close', done)
  })
