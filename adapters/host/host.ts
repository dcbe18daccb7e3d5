import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { MINUTE_MS } from '#core/clock.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { httpFunction } from './http.ts'
import { OpenResponses } from './open-responses.ts'
import { type Check, PROBES, probes } from './probes.ts'
import { type Mount, requestHandler } from './request-handler.ts'

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
  const probeMount: Mount = { kind: 'http', name: 'host', paths: PROBES, serve: probe }
  const mounts = [probeMount, ...options.mounts]
  const onRequest = requestHandler({ ...options, mounts, server, responses, closing: closing.signal })
  server.on('request', onRequest)
  // Without this listener Node would respond to an unknown expectation without a problem.
  server.on('checkExpectation', onRequest)
  server.on('clientError', (error, socket) => responses.refuseUnreadable(error, socket))
  const sockets = openSockets(server)
  await listen(server, options.port, options.address)
  const watch = responses.watch(answerWithinMs)

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
      clearInterval(watch)
    },
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
