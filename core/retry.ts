import type { Clock } from './clock.ts'
import type { Random } from './random.ts'
import { Conflict } from './store.ts'
import { Unavailable } from './unavailable.ts'

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

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1000

/** Repeats `work` through an outage of the store until `deadline`. */
export const retryWhileUnavailable = <Result>(
  work: () => Promise<Result>,
  deadline: number,
  clock: Clock,
): Promise<Result> =>
  retry(work, {
    clock,
    when: (error) => error instanceof Unavailable,
    pause: exponential(FIRST_PAUSE_MS, LONGEST_PAUSE_MS),
    deadline,
  })

const MAX_ATTEMPTS = 10
const SHORTEST_PAUSE_MS = 5

/** Repeats `work` when another writer was first, each time after a longer pause. Rejects with `Conflict` after the last attempt. */
export const retryOnConflict = <Result>(
  work: () => Promise<Result>,
  { clock, random }: { clock: Clock; random: Random },
  maxAttempts = MAX_ATTEMPTS,
): Promise<Result> =>
  retry(work, {
    clock,
    when: (error) => error instanceof Conflict,
    pause: (attempts) => SHORTEST_PAUSE_MS * 2 ** attempts * random(),
    maxAttempts,
  })

/** An error that is not the command's fault, and so not counted: an outage, or writers that were faster. */
export const isTransient = (error: unknown): error is Unavailable | Conflict =>
  error instanceof Unavailable || error instanceof Conflict
