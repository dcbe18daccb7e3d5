import { toHostProblem } from '#adapters/host/error-response.ts'
import { problemResponse } from '#adapters/host/http.ts'
import { type EventMount, problemOf } from '#adapters/host/request-handler.ts'
import type { Clock } from '#core/clock.ts'
import { toDelivery } from '#core/cloudevent.ts'
import type { Outcome } from '#core/delivery.ts'
import type { Problem } from '#core/problem.ts'
import { traceOf } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { HEAD_BYTES, type HttpClient, type HttpResponse } from './kafka-source/http-client.ts'
import { requestTimeouts, semaphore } from './kafka-source/in-flight.ts'
import type { CloudEventRequest } from './kafka-source/record-to-request.ts'

/** A function of this process, as its host serves it. */
export interface LocalFunction {
  mount: EventMount
  maxBodyBytes: number
  /** The most requests that the function has at once, over HTTP included. Others wait. */
  inFlight: number
}

export interface Sink extends LocalFunction {
  url: string
  telemetry: Telemetry
}

export interface DirectClientOptions {
  clock: Clock
  timeoutMs: number
  /** For requests to other URLs, and for those that a connection changes or a host refuses. */
  overHttp: HttpClient
}

const NO_BYTES = Buffer.alloc(0)
const NO_RESPONSE: HttpResponse = { status: undefined, head: NO_BYTES }
const DONE = { status: 204, head: NO_BYTES }

/** Passes the requests of a KafkaSource to a function of its process, which costs less than a connection to its host. */
export function directClient(sink: Sink, options: DirectClientOptions): HttpClient {
  const { clock, timeoutMs, overHttp } = options
  const timeouts = requestTimeouts(clock, timeoutMs)
  const permits = semaphore(sink.inFlight)

  async function send(request: CloudEventRequest, resolve: (response: HttpResponse) => void): Promise<void> {
    let isOver = false
    const pending = timeouts.begin(() => end(NO_RESPONSE))
    function end(response: HttpResponse): void {
      isOver = true
      timeouts.end(pending)
      resolve(response)
    }
    await permits.acquire()
    try {
      if (!isOver) end(await (isPlain(request, sink) ? responseOf(sink, request) : overHttp.post(sink.url, request)))
    } finally {
      permits.release()
    }
  }

  return {
    post: (url, request) =>
      url === sink.url ? new Promise((resolve) => void send(request, resolve)) : overHttp.post(url, request),
    async close() {
      timeouts.abortAll()
      timeouts.stop()
      await overHttp.close()
    },
  }
}

/** The response of the host, which counts and measures it. */
async function responseOf({ mount, telemetry }: Sink, { headers, body }: CloudEventRequest): Promise<HttpResponse> {
  const started = performance.now()
  const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? NO_BYTES)
  const problem = await problemIn(() => mount.serve(toDelivery(headers, bytes)), telemetry)
  const labels = { function: mount.name, method: 'POST', route: '', status: problem?.status ?? DONE.status }
  telemetry.metrics.requestDone(labels, performance.now() - started)
  return problem ? { status: problem.status, head: headOf(problem) } : DONE
}

async function problemIn(serve: () => Promise<Outcome>, telemetry: Telemetry): Promise<Problem | undefined> {
  try {
    return problemOf(await serve(), telemetry.metrics)
  } catch (error) {
    return toHostProblem(error, traceOf({}), telemetry)
  }
}

const headOf = (problem: Problem): Buffer =>
  Buffer.from(problemResponse(problem, traceOf({})).body).subarray(0, HEAD_BYTES)

/** The most bytes of plain headers, far below the limits of a host. */
const PLAIN_HEADERS = 4096
/** A connection leaves such a header as it is. */
const PLAIN = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/

function isPlain({ headers, body }: CloudEventRequest, { maxBodyBytes }: Sink): boolean {
  if (body && Buffer.byteLength(body) > maxBodyBytes) return false
  let length = 0
  for (const name in headers) {
    const value = headers[name] as string
    length += name.length + value.length
    if (!PLAIN.test(value)) return false
  }
  return length <= PLAIN_HEADERS
}
