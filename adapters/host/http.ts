import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Problem } from '#core/problem.ts'
import type { Request, Response } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { toProblem } from '#core/to-problem.ts'
import { type Trace, traceOf } from '#core/trace.ts'

/** The signature that functions-framework calls and that the host calls too; both have read the body into `rawBody`. */
export type HttpFunction = (req: FunctionRequest, res: ServerResponse) => Promise<void>

export type FunctionRequest = IncomingMessage & { rawBody?: Buffer; matched?: string; closing?: AbortSignal }

const EMPTY = Buffer.alloc(0)
const NEVER = new AbortController().signal

/**
 * Makes a function of `handle`: whatever it throws becomes a problem+json answer, and nothing of its inside gets out.
 * Every answer carries `traceparent`.
 */
export function httpFunction(handle: (request: Request) => Promise<Response>, telemetry: Telemetry): HttpFunction {
  return async (req, res) => {
    const trace = traceOf(req.headers)
    try {
      await write(res, await handle(new HttpRequest(req, res, trace)), trace)
    } catch (error) {
      if (res.destroyed) return
      const problem = toProblem(error, trace, telemetry)
      if (res.headersSent && !res.writableEnded) res.destroy()
      await write(res, problemResponse(problem, trace), trace)
    }
  }
}

/** A class, for its getters are free until they are asked. */
class HttpRequest implements Request {
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
    return forwardingChain(this.headers, this.#req.socket.remoteAddress)
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
export const forwardingChain = (headers: IncomingHttpHeaders, peer: string | undefined): string | undefined =>
  peer === undefined ? undefined : `${headers['x-forwarded-for'] ?? ''} ${peer}`

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
