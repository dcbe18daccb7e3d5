import type { Clock } from '#core/clock.ts'
import type { Random } from '#core/random.ts'
import { exponential, retry } from '#core/retry.ts'
import { Conflict } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'

/** Less than the 60 s that a KafkaSource waits for an answer, with room for the last look at the store. */
export const HOLD_MS = 45_000

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
