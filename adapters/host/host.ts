import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Delivery, Outcome } from '#core/delivery.ts'
import { Problem } from '#core/problem.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { traceOf } from '#core/trace.ts'
import { Gone, readBody } from './body.ts'
import { deliver } from './delivery.ts'
import { checkEncoding, checkRequest } from './door.ts'
import { type FunctionRequest, type HttpFunction, httpFunction } from './http.ts'
import { type Check, isProbe, probes } from './probes.ts'
import { problemOf, refuse, refuseRaw, unreadable } from './refuse.ts'

/** A function and the requests that are its own. The first mount that accepts a request serves it. */
export type Mount = HttpMount | EventMount

export interface HttpMount {
  kind: 'http'
  name: string
  accepts(method: string, path: string): boolean
  /** The largest body of a request that takes another than the host's. */
  maxBodyBytes?(method: string, path: string): number | undefined
  serve: HttpFunction
}

export interface EventMount {
  kind: 'cloudevent'
  name: string
  path: string
  serve(event: Delivery): Promise<Outcome>
}

export interface HostOptions {
  port: number
  address: string
  mounts: Mount[]
  maxBodyBytes: number
  telemetry: Telemetry
  /** What /health/deep asks. */
  checks: Record<string, Check>
  /** Throws a problem for a request that nothing here may serve, be it for a mount or a probe. */
  admit?(req: IncomingMessage): void
  /** The longest that a function may take to begin its answer. */
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

/** On every address of the machine. */
export const EVERYWHERE = '0.0.0.0'

/** Longer than a proxy keeps an idle connection, so that never both close it at once with a request on its way. */
const KEEP_ALIVE_MS = 75_000
/** A KafkaSource turns every header of a bare record into one of its request: a record must not fail for that. */
const MAX_HEADER_BYTES = 64 * 1024
/** Not a status of HTTP; so counted by many servers. */
const CLIENT_GONE = 499

/** Serves functions straight from node:http: the door checks, the probes and the drain that functions-framework lacks. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { maxBodyBytes, telemetry, answerWithinMs = 60_000, receiveWithinMs = 30_000, drainWithinMs = 25_000 } = options
  const { metrics } = telemetry
  const underWay = new Map<ServerResponse, number>()
  /** Connections on which nothing has come yet: Node does not count them as idle. */
  const silent = new Set<Socket>()
  const closing = new AbortController()
  let draining = false

  const probe = httpFunction(
    probes(options.checks, () => draining, telemetry),
    telemetry,
  )
  const mounts: Mount[] = [
    { kind: 'http', name: 'host', accepts: (_, path) => isProbe(path), serve: probe },
    ...options.mounts,
  ]
  const nothing: Mount = {
    kind: 'http',
    name: 'host',
    accepts: () => true,
    serve: httpFunction(nothingThere, telemetry),
  }

  function mountOf(method: string, path: string): Mount {
    for (const mount of mounts) {
      if (mount.kind === 'http' ? mount.accepts(method, path) : mount.path === path && method === 'POST') return mount
    }
    return nothing
  }

  async function onRequest(req: FunctionRequest, res: ServerResponse): Promise<void> {
    const started = performance.now()
    const { method = 'GET', url = '/' } = req
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    const mount = mountOf(method, path)
    underWay.set(res, started)
    silent.delete(req.socket)
    req.closing = closing.signal
    res.on('close', () => {
      underWay.delete(res)
      const status = res.headersSent ? res.statusCode : CLIENT_GONE
      metrics.requestDone(mount.name, method, req.matched ?? '', status, performance.now() - started)
      if (draining) setImmediate(() => server.closeIdleConnections())
    })
    if (draining) res.shouldKeepAlive = false
    try {
      checkRequest(req)
      options.admit?.(req)
      if (mount.kind === 'cloudevent') return await deliver({ serve: mount.serve, maxBodyBytes, metrics }, req, res)
      checkEncoding(req)
      const body = readBody(req, mount.maxBodyBytes?.(method, path) ?? maxBodyBytes)
      req.rawBody = body instanceof Promise ? await body : body
      await mount.serve(req, res)
    } catch (error) {
      if (error instanceof Gone) return
      const trace = traceOf(req.headers)
      refuse(req, res, problemOf(error, trace, telemetry), trace)
    }
  }

  /** The last request that a connection has brought and that is not answered yet. */
  const lastOn = (socket: Duplex): ServerResponse | undefined =>
    [...underWay.keys()].findLast((res) => res.req.socket === socket)

  /** Requests are answered in order, so what can't be read is answered behind those before it, or never. */
  function onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const last = lastOn(socket)
    if (error.code === 'ECONNRESET') socket.destroy()
    else if (!last) refuseRaw(socket, unreadable(error))
    else if (last.req.complete) last.once('finish', () => refuseRaw(socket, unreadable(error)))
    else {
      refuse(last.req, last, unreadable(error))
      last.end()
    }
  }

  /**
   * One timer for all: they are in the order of their start. An answer that has begun may take its time; one that was
   * waiting for its turn on a connection when that broke never hears of it.
   */
  function refuseLate(): void {
    const before = performance.now() - answerWithinMs
    for (const [res, started] of underWay) {
      if (started > before) return
      if (res.req.socket.destroyed) underWay.delete(res)
      else if (!res.headersSent) refuse(res.req, res, new Problem(503, 'Too slow', 'There was no answer in time.'))
    }
  }

  const server = createServer(
    {
      requestTimeout: receiveWithinMs,
      headersTimeout: receiveWithinMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      requireHostHeader: false,
      connectionsCheckingInterval: Math.min(1000, receiveWithinMs / 2),
    },
    onRequest,
  )
  server.on('clientError', onClientError)
  // Node would answer without a problem.
  server.on('checkExpectation', onRequest)
  server.on('connection', (socket: Socket) => {
    silent.add(socket)
    socket.once('close', () => silent.delete(socket))
  })
  await listen(server, options.port, options.address)
  const late = setInterval(refuseLate, Math.min(1000, answerWithinMs / 2)).unref()

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      draining = true
      closing.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of silent) if (socket.bytesRead === 0) socket.destroy()
      for (const socket of new Set([...underWay.keys()].map((res) => res.req.socket))) {
        const last = lastOn(socket)
        if (last && !last.headersSent) last.shouldKeepAlive = false
      }
      const cut = setTimeout(() => server.closeAllConnections(), drainWithinMs)
      await closed
      clearTimeout(cut)
      clearInterval(late)
    },
  }
}

async function nothingThere({ path }: { path: string }): Promise<never> {
  throw new Problem(404, 'Not found', `There is nothing at ${path}.`)
}

const listen = (server: Server, port: number, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, () => resolve())
  })
