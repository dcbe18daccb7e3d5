import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Problem } from '#core/problem.ts'
import { abortedBy, type Request, type Response, type ServedBy, type Trace, traceOf } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { toProblem } from '#core/to-problem.ts'

/** The signature that functions-framework and our host call. Both have read the body into `rawBody`. */
export type HttpFunction = (req: FunctionRequest, res: ServerResponse) => Promise<void>

export type FunctionRequest = IncomingMessage & { rawBody?: Buffer; matched?: string; closing?(): AbortSignal }

const EMPTY = Buffer.alloc(0)
const NEVER = new AbortController().signal

/**
 * Turns `handle` into an HTTP function. An error becomes a problem+json response that reveals nothing internal. Every response carries
 * `traceparent`.
 */
export function httpFunction(handle: (request: Request) => Promise<Response>, telemetry: Telemetry): HttpFunction {
  return async (req, res) => {
    const trace = traceOf(req.headers)
    const request = new HttpRequest(req, res, trace)
    try {
      await write(res, await handle(request), trace)
    } catch (error) {
      if (res.destroyed) return
      const problem = toProblem(error, request, telemetry)
      if (res.headersSent && !res.writableEnded) res.destroy()
      await write(res, problemResponse(problem, trace), trace)
    }
  }
}

/** This is a class because its getters cost nothing until they are read. */
class HttpRequest implements Request {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly trace: Trace
  readonly arrived = Date.now()
  servedBy?: ServedBy
  readonly #req: FunctionRequest
  readonly #res: ServerResponse
  #signal: AbortSignal | undefined

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
    return forwardingChain(this.headers, this.#req.socket.remoteAddress)
  }

  get address(): string {
    return this.#req.socket.remoteAddress ?? ''
  }

  get signal(): AbortSignal {
    this.#signal ??= abortedBy(this.#res, 'close', this.#res.destroyed)
    return this.#signal
  }

  get closing(): AbortSignal {
    return this.#req.closing?.() ?? NEVER
  }

  get route(): string {
    return this.#req.matched ?? ''
  }

  set route(pattern: string) {
    this.#req.matched = pattern
  }
}

/**
 * The addresses that a request came by. A client may claim any addresses, but each proxy appends the one that it sees, so nobody can
 * copy another client's whole list.
 */
export const forwardingChain = (headers: IncomingHttpHeaders, peer: string | undefined): string | undefined =>
  peer === undefined ? undefined : `${headers['x-forwarded-for'] ?? ''} ${peer}`

export function problemResponse({ status, title, message, headers, members }: Problem, { traceId }: Trace) {
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
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

/** Reads the stream only as fast as the client does, and stops when the client is gone. */
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

/** Resolves when the buffer has room again or the client is gone. */
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
