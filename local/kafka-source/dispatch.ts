import type { Clock } from '#core/clock.ts'
import type { HttpClient, HttpResponse } from './http-client.ts'
import type { CloudEventRequest } from './record-to-request.ts'
import { backoffMs, type RetryPolicy } from './retry-policy.ts'

/**
 * `refused`: a dead letter after a 422, with which persist says that it keeps the command. `stopped`: the KafkaSource closed first, so the
 * record is delivered again after the next start.
 */
export type DeliveryOutcome = 'delivered' | 'refused' | 'dead letter' | 'lost' | 'stopped'

export interface DispatchOptions {
  sink: string
  policy: RetryPolicy
  post: HttpClient['post']
  clock: Clock
  /** Aborts when the KafkaSource closes: no retry begins after that. */
  stopping: AbortSignal
  onRetry?: (() => void) | undefined
}

/**
 * Posts a request to the sink and, if that fails, to the dead-letter sink, each with all its retries. Retries are counted
 * here only: a restart starts the count again, as in the real dispatcher.
 */
export async function dispatch(request: CloudEventRequest, options: DispatchOptions): Promise<DeliveryOutcome> {
  const { sink, policy, stopping } = options
  const response = await postWithRetries(sink, request, options)
  if (isSuccess(response)) return 'delivered'
  if (stopping.aborted && isRetryable(response)) return 'stopped'
  if (!policy.deadLetterSink) return 'lost'
  const last = await postWithRetries(policy.deadLetterSink, withError(request, sink, response), options)
  if (isSuccess(last)) return response.status === KEPT ? 'refused' : 'dead letter'
  return stopping.aborted && isRetryable(last) ? 'stopped' : 'lost'
}

/** The last response: a final one, or that of the last retry. KafkaSource ignores Retry-After, and so does this. */
async function postWithRetries(
  url: string,
  request: CloudEventRequest,
  { policy, post, clock, stopping, onRetry }: DispatchOptions,
): Promise<HttpResponse> {
  let response = await post(url, request)
  for (let n = 1; n <= policy.retry && isRetryable(response); n++) {
    await clock.sleep(backoffMs(policy, n), stopping)
    if (stopping.aborted) return response
    onRetry?.()
    response = await post(url, request)
  }
  return response
}

const KEPT = 422
const RETRYABLE = new Set([404, 408, 409, 429])
const isSuccess = ({ status }: HttpResponse): boolean => status !== undefined && status >= 200 && status < 300
const isRetryable = ({ status }: HttpResponse): boolean =>
  status === undefined || status >= 500 || RETRYABLE.has(status)

/** Without a response only the destination is known. A response without a body has no data, rather than empty data. */
const withError = (
  { headers, body }: CloudEventRequest,
  sink: string,
  { status, head }: HttpResponse,
): CloudEventRequest => ({
  headers: {
    ...headers,
    'ce-knativeerrordest': sink,
    ...(status === undefined ? {} : { 'ce-knativeerrorcode': String(status) }),
    ...(head.length === 0 ? {} : { 'ce-knativeerrordata': head.toString('base64') }),
  },
  body,
})
