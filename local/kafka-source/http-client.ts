import { Agent, type Dispatcher } from 'undici'
import type { Clock } from '#core/clock.ts'
import { type RequestTimeouts, requestTimeouts } from './in-flight.ts'
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

export const HEAD_BYTES = 1024

/** Posts over persistent connections. A response that takes longer than `timeoutMs` by the clock counts as none. */
export function httpClient(clock: Clock, { timeoutMs }: { timeoutMs: number }): HttpClient {
  const agent = new Agent({ pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })
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
