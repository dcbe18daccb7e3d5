import { milliseconds } from './duration.ts'

/** `spec.delivery` of a KafkaSource, with its field names. Durations are ISO 8601, such as PT0.5S. */
export interface DeliverySpec {
  retry?: number
  backoffPolicy?: 'linear' | 'exponential'
  backoffDelay?: string
  timeout?: string
  deadLetterSink?: string
}

export interface RetryPolicy {
  retry: number
  backoffPolicy: 'linear' | 'exponential'
  delayMs: number
  timeoutMs: number
  deadLetterSink: string | undefined
}

/** KafkaSource's defaults apply only without a delivery: a delivery without `retry` has no retries. */
export function toRetryPolicy(spec: DeliverySpec = { retry: 10, backoffDelay: 'PT0.3S' }): RetryPolicy {
  const { retry = 0, backoffPolicy = 'exponential', backoffDelay = 'PT0.2S', timeout = 'PT600S' } = spec
  return {
    retry,
    backoffPolicy,
    delayMs: milliseconds(backoffDelay),
    timeoutMs: milliseconds(timeout),
    deadLetterSink: spec.deadLetterSink,
  }
}

/** The delay before retry `n`, which counts from 1. */
export const backoffMs = ({ backoffPolicy, delayMs }: RetryPolicy, n: number): number =>
  backoffPolicy === 'linear' ? delayMs * n : delayMs * 2 ** n
