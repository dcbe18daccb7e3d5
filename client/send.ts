import { noResponse, Problem, problemOf } from './problem.ts'

export interface Transport {
  fetch: typeof globalThis.fetch
  token: string | (() => string | undefined | Promise<string | undefined>) | undefined
  /** The number of times that a request is sent at most. */
  attempts: number
}

export interface HttpRequest {
  url: string
  method: string
  headers: Record<string, string>
  body?: string
  signal: AbortSignal | undefined
  /** The longest time of one attempt, until its response begins. */
  timeoutMs: number
}

export interface HttpResponse {
  status: number
  headers: Headers
  text: string
}

const FIRST_PAUSE_MS = 100
const MAX_PAUSE_MS = 5000
/** The statuses that are worth a retry: too many requests, or an unavailable function. */
const TRANSIENT = [429, 502, 503, 504]

/** The complete response. Retries are safe, since every request either has an idempotency key or changes nothing. */
export async function send(transport: Transport, request: HttpRequest): Promise<HttpResponse> {
  return await retry(transport, request, async (response) => {
    const { status, headers } = response
    return { status, headers, text: await response.text() }
  })
}

/** The body of the response as a stream. A stream that breaks off later is not retried. */
export async function open(transport: Transport, request: HttpRequest): Promise<ReadableStream<Uint8Array>> {
  return await retry(transport, request, async ({ body }) => body ?? new ReadableStream())
}

async function retry<Result>(
  transport: Transport,
  request: HttpRequest,
  read: (response: Response) => Result | Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt >= transport.attempts
    let retryAfter: string | null = null
    try {
      const outcome = await sendOnce(transport, request, async (response) =>
        response.ok
          ? { result: await read(response) }
          : {
              problem: problemOf(response.status, await response.text()),
              retryAfter: response.headers.get('retry-after'),
            },
      )
      if ('result' in outcome) return outcome.result
      retryAfter = outcome.retryAfter
      if (isLast || !TRANSIENT.includes(outcome.problem.status)) throw outcome.problem
    } catch (error) {
      request.signal?.throwIfAborted()
      if (error instanceof Problem) throw error
      if (isLast) throw noResponse(error)
    }
    await pause(pauseBefore(attempt, retryAfter), request.signal)
  }
}

/** Sends the request. The caller's signal aborts it at any time, the time-out until `read` has finished. */
async function sendOnce<Result>(
  { fetch, token }: Transport,
  { url, method, headers, body, signal, timeoutMs }: HttpRequest,
  read: (response: Response) => Promise<Result>,
): Promise<Result> {
  const bearer = typeof token === 'function' ? await token() : token
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(new Error(`nothing came within ${timeoutMs / 1000} s`)), timeoutMs)
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }) },
      ...(body === undefined ? {} : { body }),
      signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
    })
    return await read(response)
  } finally {
    clearTimeout(timer)
  }
}

/** The pause before the next attempt: exponential with full jitter, and never shorter than `Retry-After`. */
export function pauseBefore(attempt: number, retryAfter: string | null = null): number {
  const most = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt)
  const seconds = Number(retryAfter ?? 0)
  return (seconds > 0 ? seconds * 1000 : 0) + Math.random() * most
}

export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
