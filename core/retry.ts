import type { Clock } from './clock.ts'

export interface RetryPolicy {
  clock: Clock
  /** True for an error after which another attempt makes sense. Every other error is thrown at once. */
  when(error: unknown): boolean
  /** The milliseconds to wait after so many attempts. */
  pause(attempts: number): number
  maxAttempts?: number
  /** No attempt begins at this time or later. */
  deadline?: number
  /** No attempt begins after it aborts. */
  signal?: AbortSignal
  /** Called with each error that another attempt follows. */
  onRetry?(error: unknown): void
}

/** Repeats `work` until it succeeds. Throws its last error when the policy ends. */
export async function retry<Result>(work: () => Promise<Result>, policy: RetryPolicy): Promise<Result> {
  const { clock, maxAttempts = Number.POSITIVE_INFINITY, deadline = Number.POSITIVE_INFINITY, signal } = policy
  for (let attempts = 1; ; attempts++) {
    try {
      return await work()
    } catch (error) {
      if (attempts >= maxAttempts || signal?.aborted || !policy.when(error)) throw error
      const pause = policy.pause(attempts)
      if (clock.now() + pause >= deadline) throw error
      policy.onRetry?.(error)
      await clock.sleep(pause, signal)
      if (signal?.aborted) throw error
    }
  }
}

/** Pauses that double from `firstMs` and never exceed `longestMs`. */
export const exponential =
  (firstMs: number, longestMs: number) =>
  (attempts: number): number =>
    Math.min(firstMs * 2 ** (attempts - 1), longestMs)
