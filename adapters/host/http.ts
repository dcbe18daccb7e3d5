import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { logger } from '../telemetry/logger.ts'
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
  /** Aborts when the client goes away. */
  signal: AbortSignal
}

/** A streamed body is an async iterable; one that throws after its first chunk breaks the connection off. */
export interface Response {
  status: number
  headers?: Record<string, string>
  body?: string | AsyncIterable<string>
}

/** The signature that functions-framework calls and that the host calls too; both have read the body into `rawBody`. */
export type HttpFunction = (req: IncomingMessage & { rawBody?: Buffer }, res: ServerResponse) => Promise<void>

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

const EMPTY = Buffer.alloc(0)

/** Makes a function of `handle`: whatever it throws becomes a problem+json answer, and nothing of its inside gets out. */
export function httpFunction(handle: (request: Request) => Promise<Response>): HttpFunction {
  return async (req, res) => {
    const trace = traceOf(req.headers)
    let response: Response
    try {
      response = await handle(requestOf(req, res, trace))
    } catch (error) {
      response = problemResponse(asProblem(error, trace), trace)
    }
    await write(res, response, req.method === 'HEAD', trace)
  }
}

function requestOf(req: Parameters<HttpFunction>[0], res: ServerResponse, trace: Trace): Request {
  const url = req.url ?? '/'
  const mark = url.indexOf('?')
  return {
    method: req.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    headers: req.headers,
    body: req.rawBody ?? EMPTY,
    trace,
    get query() {
      return new URLSearchParams(mark < 0 ? '' : url.slice(mark))
    },
    get signal() {
      const gone = new AbortController()
      if (res.destroyed) gone.abort()
      res.once('close', () => gone.abort())
      return gone.signal
    },
  }
}

function asProblem(error: unknown, { traceId }: Trace): Problem {
  if (error instanceof Problem) return error
  if (error instanceof Unavailable) {
    logger.warn({ trace: traceId, err: error }, 'unavailable')
    return new Problem(503, 'Unavailable', `The ${error.what} is away.`, { headers: { 'retry-after': '1' } })
  }
  logger.error({ trace: traceId, err: error }, 'a request failed')
  return new Problem(500, 'Internal error', 'This is a bug of ours. Its trace id leads us to it.')
}

export function problemResponse({ status, title, message, headers, members }: Problem, { traceId }: Trace): Response {
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: JSON.stringify({ type: 'about:blank', title, status, detail: message, traceid: traceId, ...members }),
  }
}

async function write(
  res: ServerResponse,
  { status, headers, body }: Response,
  isHead: boolean,
  { traceparent }: Trace,
) {
  if (body === undefined || typeof body === 'string') {
    const length = status === 304 || status === 204 ? {} : { 'content-length': Buffer.byteLength(body ?? '') }
    res.writeHead(status, { ...headers, traceparent, ...length })
    res.end(isHead ? undefined : body)
    return
  }
  res.writeHead(status, { ...headers, traceparent })
  if (isHead) return void res.end()
  try {
    for await (const chunk of body) {
      if (res.destroyed) return
      if (!res.write(chunk)) await drained(res)
    }
    res.end()
  } catch (error) {
    logger.warn({ err: error }, 'a streamed answer broke off')
    res.destroy()
  }
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
