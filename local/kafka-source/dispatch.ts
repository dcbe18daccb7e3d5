import type { Clock } from '#core/clock.ts'
import { backoff, type Policy } from './retry-policy.ts'
import type { Answer, Post } from './http-client.ts'
import type { Posting } from './record-to-request.ts'

/** `stopped`: the source closed first, so the record is delivered again after the next start. */
export type Fate = 'delivered' | 'dead letter' | 'lost' | 'stopped'

export interface Delivering {
  sink: string
  policy: Policy
  post: Post
  clock: Clock
  /** Aborted when the source closes: no retry begins any more. */
  stopping: AbortSignal
  onRetry?: (() => void) | undefined
}

/** One record to the sink, else to the dead-letter sink, with all their retries. Attempts are counted nowhere but here. */
export async function deliver(posting: Posting, delivering: Delivering): Promise<Fate> {
  const { sink, policy, stopping } = delivering
  const answer = await persevere(sink, posting, delivering)
  if (isDone(answer)) return 'delivered'
  if (stopping.aborted && isRetryable(answer)) return 'stopped'
  if (!policy.deadLetterSink) return 'lost'
  const kept = await persevere(policy.deadLetterSink, withError(posting, sink, answer), delivering)
  if (isDone(kept)) return 'dead letter'
  return stopping.aborted && isRetryable(kept) ? 'stopped' : 'lost'
}

/** Its last answer: one that is final, or that of the last retry. Waits by its own policy, whatever Retry-After says. */
async function persevere(
  url: string,
  posting: Posting,
  { policy, post, clock, stopping, onRetry }: Delivering,
): Promise<Answer> {
  let answer = await post(url, posting)
  for (let n = 1; n <= policy.retry && isRetryable(answer); n++) {
    await clock.sleep(backoff(policy, n), stopping)
    if (stopping.aborted) return answer
    onRetry?.()
    answer = await post(url, posting)
  }
  return answer
}

const RETRYABLE = new Set([404, 408, 409, 429])
const isDone = ({ status }: Answer): boolean => status !== undefined && status >= 200 && status < 300
const isRetryable = ({ status }: Answer): boolean => status === undefined || status >= 500 || RETRYABLE.has(status)

/** Without an answer only the destination is known; an answer without a body has no data, rather than empty data. */
const withError = ({ headers, body }: Posting, sink: string, { status, head }: Answer): Posting => ({
  headers: {
    ...headers,
    'ce-knativeerrordest': sink,
    ...(status === undefined ? {} : { 'ce-knativeerrorcode': String(status) }),
    ...(head.length === 0 ? {} : { 'ce-knativeerrordata': head.toString('base64') }),
  },
  body,
})
