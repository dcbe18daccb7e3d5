import { Agent } from 'undici'
import type { Clock } from '../clock.ts'
import type { Posting } from './request.ts'

/** `spec.delivery` of a KafkaSource, in its own words. */
export interface DeliverySpec {
  retry?: number
  backoffPolicy?: 'linear' | 'exponential'
  /** ISO 8601, such as PT0.5S. */
  backoffDelay?: string
  timeout?: string
  deadLetterSink?: string
}

export interface Policy {
  retry: number
  backoff: 'linear' | 'exponential'
  delayMs: number
  timeoutMs: number
  deadLetterSink: string | undefined
}

/** The defaults hold only where no delivery is given: half a delivery switches all of them off. */
export function policyOf(spec: DeliverySpec | undefined): Policy {
  if (!spec) return { retry: 10, backoff: 'exponential', delayMs: 300, timeoutMs: 600_000, deadLetterSink: undefined }
  const { retry = 0, backoffPolicy = 'exponential', backoffDelay = 'PT0.2S', timeout = 'PT600S', deadLetterSink } = spec
  return {
    retry,
    backoff: backoffPolicy,
    delayMs: milliseconds(backoffDelay),
    timeoutMs: milliseconds(timeout),
    deadLetterSink,
  }
}

export function milliseconds(duration: string): number {
  const found = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(duration)
  if (!found || found.slice(1).every((part) => part === undefined))
    throw new Error(`not an ISO 8601 duration: ${duration}`)
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part) => Number(part ?? 0))
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
}

/** The delay before retry `n`, from 1. */
export const backoff = ({ backoff, delayMs }: Policy, n: number): number =>
  backoff === 'linear' ? delayMs * n : delayMs * 2 ** n

export interface Answer {
  /** -1: no connection, or no answer in time. */
  status: number
  body: Buffer
}

export type Post = (url: string, posting: Posting, timeoutMs: number) => Promise<Answer>

export type Fate = 'delivered' | 'dead letter' | 'lost' | 'stopped'

const RETRYABLE = new Set([404, 408, 409, 429])
const isDone = (status: number): boolean => status >= 200 && status < 300
const isRetryable = (status: number): boolean => status < 0 || status >= 500 || RETRYABLE.has(status)

export interface Delivering {
  sink: string
  policy: Policy
  post: Post
  clock: Clock
  /** Aborted when the source stops: pauses end, and what isn't delivered by then is delivered again. */
  stopping: AbortSignal
  onRetry?(): void
}

/** One record to the sink, else to the dead-letter sink, with all their retries. Never throws. */
export async function deliver(posting: Posting, delivering: Delivering): Promise<Fate> {
  const { sink, policy, stopping } = delivering
  const answer = await persevere(sink, posting, delivering)
  if (isDone(answer.status)) return 'delivered'
  if (stopping.aborted && isRetryable(answer.status)) return 'stopped'
  if (!policy.deadLetterSink) return 'lost'
  const kept = await persevere(policy.deadLetterSink, withError(posting, sink, answer), delivering)
  if (isDone(kept.status)) return 'dead letter'
  return stopping.aborted && isRetryable(kept.status) ? 'stopped' : 'lost'
}

async function persevere(
  url: string,
  posting: Posting,
  { policy, post, clock, stopping, onRetry }: Delivering,
): Promise<Answer> {
  let answer = await post(url, posting, policy.timeoutMs)
  for (let n = 1; n <= policy.retry && isRetryable(answer.status); n++) {
    await clock.sleep(backoff(policy, n), stopping)
    if (stopping.aborted) return answer
    onRetry?.()
    answer = await post(url, posting, policy.timeoutMs)
  }
  return answer
}

const ERROR_DATA_BYTES = 1024

const withError = ({ headers, body }: Posting, sink: string, answer: Answer): Posting => ({
  headers: {
    ...headers,
    'ce-knativeerrordest': sink,
    'ce-knativeerrorcode': String(answer.status),
    'ce-knativeerrordata': answer.body.subarray(0, ERROR_DATA_BYTES).toString('base64'),
  },
  body,
})

export interface Poster {
  post: Post
  close(): Promise<void>
}

/** Posts over kept connections; its time-outs go by the clock. */
export function poster(clock: Clock, connections: number): Poster {
  const agent = new Agent({ connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })
  return {
    async post(url, { headers, body }, timeoutMs) {
      const { origin, pathname, search } = new URL(url)
      const done = new AbortController()
      const late = new AbortController()
      void clock.sleep(timeoutMs, done.signal).then(() => late.abort())
      try {
        const path = pathname + search
        const answer = await agent.request({ origin, path, method: 'POST', headers, body, signal: late.signal })
        return { status: answer.statusCode, body: Buffer.from(await answer.body.arrayBuffer()) }
      } catch (error) {
        return { status: -1, body: Buffer.from(String((error as Error).message)) }
      } finally {
        done.abort()
      }
    },
    close: () => agent.close(),
  }
}
