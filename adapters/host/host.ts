import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Event, Outcome } from '../event.ts'
import { logger } from '../telemetry/logger.ts'
import { requestDone } from '../telemetry/metrics.ts'
import { traceOf } from '../telemetry/trace.ts'
import { readBody, TooLarge } from './body.ts'
import { eventOf, malformed } from './cloudevent.ts'
import { type HttpFunction, httpFunction, Problem, problemResponse } from './http.ts'
import { type Check, probes } from './probes.ts'

/** A function and the requests that are its own. The first mount that accepts a request serves it. */
export type Mount = HttpMount | EventMount

export interface HttpMount {
  kind: 'http'
  name: string
  accepts(method: string, path: string): boolean
  serve: HttpFunction
}

export interface EventMount {
  kind: 'cloudevent'
  name: string
  path: string
  serve(event: Event): Promise<Outcome>
}

export interface HostOptions {
  port: number
  address: string
  mounts: Mount[]
  maxBodyBytes: number
  /** What /health/deep asks. */
  checks: Record<string, Check>
  /** The longest that a function may take to answer. */
  answerWithinMs?: number
  /** The longest that a client may take to send a request. */
  receiveWithinMs?: number
  /** The longest that requests under way may take once the host closes. */
  drainWithinMs?: number
}

export interface Host {
  port: number
  /** Refuses new connections, finishes what is under way. */
  close(): Promise<void>
}

/** Serves functions straight from node:http: the door checks, the probes and the drain that functions-framework lacks. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { mounts, maxBodyBytes, answerWithinMs = 60_000, receiveWithinMs = 30_000, drainWithinMs = 25_000 } = options
  let draining = false
  const probe = httpFunction(probes(options.checks, () => draining))
  const nowhere = httpFunction(async ({ path }) => {
    throw new Problem(404, 'Not found', `There is nothing at ${path}.`)
  })

  async function onRequest(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const started = performance.now()
    const { method = 'GET', url = '/' } = req
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    if (draining) res.shouldKeepAlive = false
    const mount = mounts.find((mount) => (mount.kind === 'http' ? mount.accepts(method, path) : mount.path === path))
    const late = setTimeout(() => refuse(req, res, new Problem(503, 'Too slow', 'No answer in time.')), answerWithinMs)
    res.once('close', () => {
      clearTimeout(late)
      if (mount) requestDone(mount.name, method, res.statusCode, performance.now() - started)
    })
    if (path === '/metrics' || path.startsWith('/health/')) return await probe(req, res)
    if (!mount) return await nowhere(req, res)
    if (mount.kind === 'http') await serveHttp(mount, req, res)
    else await serveEvent(mount, req, res)
  }

  async function serveHttp({ serve }: HttpMount, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const call: Parameters<HttpFunction>[0] = req
    try {
      call.rawBody = await readBody(req, maxBodyBytes)
    } catch (error) {
      if (error instanceof TooLarge) refuse(req, res, new Problem(413, 'Content too large', error.message))
      return
    }
    await serve(call, res)
  }

  async function serveEvent({ serve }: EventMount, req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.method !== 'POST') return refuse(req, res, new Problem(404, 'Not found', 'Deliveries are posted here.'))
    let event: Event
    try {
      event = eventOf(req.headers, await readBody(req, maxBodyBytes))
    } catch (error) {
      if (!(error instanceof TooLarge)) return
      event = malformed(req.headers, error.head, error.message)
      discardRest(req)
    }
    const { status, detail = '' } = await serve(event)
    if (status === 204) return void res.writeHead(204).end()
    const headers: Record<string, string> = status === 503 ? { 'retry-after': '1' } : {}
    refuse(req, res, new Problem(status, TITLES[status], detail, { headers }))
  }

  const server = createServer(
    {
      requestTimeout: receiveWithinMs,
      headersTimeout: receiveWithinMs,
      keepAliveTimeout: 75_000,
      connectionsCheckingInterval: 1000,
    },
    (req, res) => {
      onRequest(req, res).catch((error) => {
        logger.error({ err: error }, 'a request failed in the host')
        refuse(req, res, new Problem(500, 'Internal error', 'This is a bug of ours. Its trace id leads us to it.'))
      })
    },
  )
  server.on('clientError', refuseClient)
  await listen(server, options.port, options.address)

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      draining = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const late = setTimeout(() => server.closeAllConnections(), drainWithinMs)
      await closed
      clearTimeout(late)
    },
  }
}

const TITLES: Record<Exclude<Outcome['status'], 204>, string> = {
  404: 'Not found',
  422: 'Parked',
  500: 'Fault',
  503: 'Unavailable',
}

const listen = (server: Server, port: number, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, () => resolve())
  })

/** Answers with a problem unless an answer has begun; a body that is still coming is discarded so that it can be read. */
function refuse(req: IncomingMessage, res: ServerResponse, problem: Problem): void {
  if (res.headersSent || res.destroyed) return
  const trace = traceOf(req.headers)
  const { status, headers, body } = problemResponse(problem, trace)
  if (!req.complete) {
    res.shouldKeepAlive = false
    discardRest(req)
  }
  res.writeHead(status, {
    ...headers,
    traceparent: trace.traceparent,
    'content-length': Buffer.byteLength(String(body)),
  })
  res.end(body)
}

const DISCARD_MS = 2000

/** A client that is still sending sees an answer only if someone goes on reading, for a while. */
function discardRest(req: IncomingMessage): void {
  if (req.complete) return
  req.resume()
  setTimeout(() => req.destroy(), DISCARD_MS).unref()
}

const CLIENT_ERRORS: Record<string, [status: number, title: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request timeout'],
  HPE_HEADER_OVERFLOW: [431, 'Request header fields too large'],
}

/** What node:http could not read as a request at all. */
function refuseClient(error: Error & { code?: string }, socket: import('node:stream').Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const [status, title] = CLIENT_ERRORS[error.code ?? ''] ?? [400, 'Bad request']
  const problem = new Problem(status, title, 'The request is not HTTP that can be read here.')
  const { body } = problemResponse(problem, traceOf({}))
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(String(body))}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
