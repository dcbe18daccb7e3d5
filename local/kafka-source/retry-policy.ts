import { milliseconds } from './duration.ts'

/** `spec.delivery` of a KafkaSource, in its own words. Durations are ISO 8601, such as PT0.5S. */
export interface DeliverySpec {
  retry?: number
  backoffPolicy?: 'linear' | 'exponential'
  backoffDelay?: string
  timeout?: string
  deadLetterSink?: string
}

export interface Policy {
  retry: number
  backoffPolicy: 'linear' | 'exponential'
  delayMs: number
  timeoutMs: number
  deadLetterSink: string | undefined
}

/** The defaults hold only where no delivery is given: a delivery without `retry` is one without retries. */
export function policyOf(spec: DeliverySpec = { retry: 10, backoffDelay: 'PT0.3S' }): Policy {
  const { retry = 0, backoffPolicy = 'exponential', backoffDelay = 'PT0.2S', timeout = 'PT600S' } = spec
  return {
    retry,
    backoffPolicy,
    delayMs: milliseconds(backoffDelay),
    timeoutMs: milliseconds(timeout),
    deadLetterSink: spec.deadLetterSink,
  }
}

/** The delay before retry `n`, from 1. */
export const backoff = ({ backoffPolicy, delayMs }: Policy, n: number): number =>
  backoffPolicy === 'linear' ? delayMs * n : delayMs * 2 ** n
