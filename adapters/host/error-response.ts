import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { internalError, Problem } from '#core/problem.ts'
import { type Trace, traceOf } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { problemResponse } from './http.ts'
import { BodyTooLarge, isReceived } from './incoming.ts'

const LINGER_MS = 2000

/**
 * Responds with a problem, whatever state the request is in. It reads on while the client is still sending: closing a connection with
 * unread bytes resets it, and the client would lose the response.
 */
export function sendProblem(
  req: IncomingMessage,
  res: ServerResponse,
  problem: Problem,
  trace = traceOf(req.headers),
): void {
  if (res.headersSent) {
    if (!res.writableEnded) res.destroy()
    return
  }
  const { status, headers, body } = problemResponse(problem, trace)
  const isLingering = !isReceived(req)
  if (isLingering) res.shouldKeepAlive = false
  const length = Buffer.byteLength(body)
  res.writeHead(status, { ...headers, traceparent: trace.traceparent, 'content-length': length })
  if (!isLingering) return void res.end(body)
  res.write(body)
  const end = () => res.end()
  const late = setTimeout(end, LINGER_MS)
  req.once('end', end)
  res.once('close', () => clearTimeout(late))
  req.resume()
}

const CLIENT_ERRORS: Record<string, [status: number, detail: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: [431, 'The header fields are too large.'],
}

/** The problem for a request that node:http could not read. */
export function toClientErrorProblem({ code = '' }: NodeJS.ErrnoException): Problem {
  const [status, detail] = CLIENT_ERRORS[code] ?? [400, 'The request is not valid HTTP.']
  return new Problem(status, STATUS_CODES[status] ?? '', detail)
}

/** The problem for an error that no function has turned into one. It counts and logs a bug. */
export function toHostProblem(error: unknown, { traceId }: Trace, { logger, metrics }: Telemetry): Problem {
  if (error instanceof Problem) return error
  if (error instanceof BodyTooLarge) return new Problem(413, 'Content too large', error.message)
  logger.error({ trace: traceId, err: error }, 'the host failed to serve a request')
  metrics.failed('bug')
  return internalError()
}

/** Responds on a connection whose bytes node:http could not read as a request. */
export function sendRawProblem(socket: Duplex, problem: Problem, trace: Trace = traceOf({})): void {
  if (!socket.writable) return void socket.destroy()
  const { status, headers, body } = problemResponse(problem, trace)
  const fields = { ...headers, traceparent: trace.traceparent, 'content-length': Buffer.byteLength(body) }
  const lines = Object.entries({ ...fields, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${problem.title}\r\n${lines.join('')}\r\n${body}`, () => socket.destroy())
}
