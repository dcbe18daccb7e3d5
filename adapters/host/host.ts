import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { MINUTE_MS } from '#core/clock.ts'
import { traceOf } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { ClientGone, readBody } from './body.ts'
import { sendProblem, toHostProblem } from './error-response.ts'
import { handleEvent } from './event-handler.ts'
import { type FunctionRequest, httpFunction } from './http.ts'
import { type Mount, mountFinder } from './mounts.ts'
import { OpenResponses } from './open-responses.ts'
import { type Check, isProbe, probes } from './probes.ts'
import { checkEncoding, checkRequest } from './request-checks.ts'

export interface HostOptions {
  port: number
  address: string
  /** The first mount that accepts a request serves it. */
  mounts: Mount[]
  maxBodyBytes: number
  telemetry: Telemetry
  /** The checks of /health/deep. */
  checks: Record<string, Check>
  /** Throws a problem for a request that neither a mount nor a probe may serve. */
  admit?(req: IncomingMessage): void
  /** The longest time that a function may take to begin its response. */
  answerWithinMs?: number
  /** The longest time that a client may take to send a request. */
  receiveWithinMs?: number
  /** The longest time that open requests may take once the host closes. */
  drainWithinMs?: number
}

export interface Host {
  port: number
  /** Refuses new connections and finishes open requests. */
  close(): Promise<void>
}

/** Every address of the machine. */
export const EVERYWHERE = '0.0.0.0'

/** This is longer than a proxy keeps an idle connection, so that the host never closes one while a request is on its way. */
const KEEP_ALIVE_MS = 75_000
/** A KafkaSource turns every header of a bare record into a header of its request, and a record must not fail for that. */
const MAX_HEADER_BYTES = 64 * 1024
/** The status of requests whose client was gone before the response. HTTP does not define it, but many servers count by it. */
const CLIENT_GONE = 499

/** Serves functions with node:http. It adds the request checks, probes and graceful drain that functions-framework lacks. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { telemetry, answerWithinMs = MINUTE_MS, receiveWithinMs = 30_000, drainWithinMs = 25_000 } = options
  const responses = new OpenResponses()
  const closing = new AbortController()
  const server = createServer({
    requestTimeout: receiveWithinMs,
    headersTimeout: receiveWithinMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    requireHostHeader: false,
    connectionsCheckingInterval: Math.min(1000, receiveWithinMs / 2),
  })
  const probe = httpFunction(
    probes(options.checks, () => closing.signal.aborted, telemetry),
    telemetry,
  )
  const probeMount: Mount = { kind: 'http', name: 'host', accepts: (_, path) => isProbe(path), serve: probe }
  const findMount = mountFinder([probeMount, ...options.mounts], telemetry)
  const onRequest = requestHandler({ ...options, server, findMount, responses, closing: closing.signal })
  server.on('request', onRequest)
  // Without this listener Node would respond to an unknown expectation without a problem.
  server.on('checkExpectation', onRequest)
  server.on('clientError', (error, socket) => responses.refuseUnreadable(error, socket))
  const sockets = openSockets(server)
  await listen(server, options.port, options.address)
  const refuseLate = () => responses.refuseLate(performance.now() - answerWithinMs)
  const late = setInterval(refuseLate, Math.min(1000, answerWithinMs / 2)).unref()

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      closing.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // Node does not count connections that have brought nothing as idle.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
      responses.closeConnections()
      const cut = setTimeout(() => server.closeAllConnections(), drainWithinMs)
      await closed
      clearTimeout(cut)
      clearInterval(late)
    },
  }
}

interface RequestHandling extends Pick<HostOptions, 'maxBodyBytes' | 'telemetry' | 'admit'> {
  server: Server
  findMount(method: string, path: string): Mount
  responses: OpenResponses
  /** Aborts when the host drains. */
  closing: AbortSignal
}

function requestHandler({ server, findMount, responses, closing, maxBodyBytes, telemetry, admit }: RequestHandling) {
  const { metrics } = telemetry
  return async function onRequest(req: FunctionRequest, res: ServerResponse): Promise<void> {
    const started = performance.now()
    const { method = 'GET', url = '/' } = req
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    const mount = findMount(method, path)
    responses.add(res, started)
    req.closing = closing
    res.on('close', () => {
      responses.delete(res)
      const status = res.headersSent ? res.statusCode : CLIENT_GONE
      const labels = { function: mount.name, method, route: req.matched ?? '', status }
      metrics.requestDone(labels, performance.now() - started)
      if (closing.aborted) setImmediate(() => server.closeIdleConnections())
    })
    if (closing.aborted) res.shouldKeepAlive = false
    try {
      checkRequest(req)
      admit?.(req)
      if (mount.kind === 'cloudevent') return await handleEvent({ serve: mount.serve, maxBodyBytes, metrics }, req, res)
      checkEncoding(req)
      const body = readBody(req, mount.maxBodyBytes?.(method, path) ?? maxBodyBytes)
      req.rawBody = body instanceof Promise ? await body : body
      await mount.serve(req, res)
    } catch (error) {
      if (error instanceof ClientGone) return
      const trace = traceOf(req.headers)
      sendProblem(req, res, toHostProblem(error, trace, telemetry), trace)
    }
  }
}

/** The connections of a server. */
function openSockets(server: Server): Set<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

const listen = (server: Server, port: number, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, () => resolve())
  })
