import { Agent, type Dispatcher } from 'undici'
import type { Clock } from '#core/clock.ts'
import type { CloudEventRequest } from './record-to-request.ts'

export interface HttpResponse {
  /** Undefined without a connection, or without a complete response before the time-out. */
  status: number | undefined
  /** The first 1,024 bytes of the body. */
  head: Buffer
}

export interface HttpClient {
  /** Never rejects. */
  post(url: string, request: CloudEventRequest): Promise<HttpResponse>
  /** Aborts the requests in flight. */
  close(): Promise<void>
}

const HEAD_BYTES = 1024

export interface HttpClientOptions {
  timeoutMs: number
  /** The most connections to one host. Other requests wait for one. No limit by default. */
  connections?: number | undefined
}

/** Posts over persistent connections. A response that takes longer than `timeoutMs` by the clock counts as none. */
export function httpClient(clock: Clock, { timeoutMs, connections }: HttpClientOptions): HttpClient {
  const agent = new Agent({ connections: connections ?? null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })
  const targets = new Map<string, { origin: string; path: string }>()
  const timeouts = requestTimeouts(clock, timeoutMs)

  function targetOf(url: string) {
    const known = targets.get(url)
    if (known) return known
    const { origin, pathname, search } = new URL(url)
    const target = { origin, path: pathname + search }
    targets.set(url, target)
    return target
  }

  return {
    post: (url, { headers, body }) =>
      new Promise((resolve) => {
        const { origin, path } = targetOf(url)
        agent.dispatch({ origin, path, method: 'POST', headers, body }, responseHandler(timeouts, resolve))
      }),
    async close() {
      timeouts.stop()
      await agent.destroy()
    },
  }
}

const NO_BYTES = Buffer.alloc(0)

/** Reads a response to its end, so that its connection can be used again, and stores the head of its body. */
function responseHandler(
  timeouts: RequestTimeouts,
  resolve: (response: HttpResponse) => void,
): Dispatcher.DispatchHandler {
  let request: Dispatcher.DispatchController | undefined
  let isLate = false
  let status: number | undefined
  let head = NO_BYTES

  const pending = timeouts.begin(() => {
    isLate = true
    if (request) request.abort(new Error('no response in time'))
    else end({ status: undefined, head: NO_BYTES })
  })

  function end(response: HttpResponse): void {
    timeouts.end(pending)
    resolve(response)
  }

  return {
    onRequestStart(controller) {
      request = controller
      if (isLate) request.abort(new Error('no connection in time'))
    },
    onResponseStart(_, code) {
      status = code
    },
    onResponseData(_, chunk) {
      const room = HEAD_BYTES - head.length
      if (room > 0) head = Buffer.concat([head, chunk.subarray(0, room)])
    },
    onResponseEnd: () => end({ status, head }),
    onResponseError: () => end({ status: undefined, head: NO_BYTES }),
  }
}

export interface PendingRequest {
  deadline: number
  abort(): void
}

interface RequestTimeouts {
  /** Calls `abort` after the time-out unless the request ends first. */
  begin(abort: () => void): PendingRequest
  end(request: PendingRequest): void
  /** No request is aborted any more. */
  stop(): void
}

/** All requests have the same time-out, so the oldest is always due first and one timer serves them all. */
function requestTimeouts(clock: Clock, timeoutMs: number): RequestTimeouts {
  const pending = new Set<PendingRequest>()
  const stopped = new AbortController()
  let isWatching = false

  async function watch(): Promise<void> {
    isWatching = true
    for (const request of pending) {
      await clock.sleep(Math.max(0, request.deadline - clock.now()), stopped.signal)
      if (stopped.signal.aborted) return
      if (pending.delete(request)) request.abort()
    }
    isWatching = false
  }

  return {
    begin(abort) {
      const request = { deadline: clock.now() + timeoutMs, abort }
      pending.add(request)
      if (!isWatching) void watch()
      return request
    },
    end: (request) => void pending.delete(request),
    stop: () => stopped.abort(),
  }
}
