import { type Clock, systemClock } from './clock.ts'
import { retry } from './retry.ts'
import type { Logger } from './telemetry.ts'
import { Unavailable } from './unavailable.ts'

const PAUSE_MS = 500

export interface WaitOptions {
  logger: Pick<Logger, 'warn'>
  withinMs?: number | undefined
  clock?: Clock
}

/**
 * Repeats `work` while the log or the store is unavailable, for `withinMs` at most, and logs each new reason. So a process
 * may start before the servers do.
 */
export function untilAvailable<Result>(
  work: () => Promise<Result>,
  { logger, withinMs = Number.POSITIVE_INFINITY, clock = systemClock }: WaitOptions,
): Promise<Result> {
  let logged = ''
  return retry(work, {
    clock,
    when: (error) => error instanceof Unavailable,
    pause: () => PAUSE_MS,
    deadline: clock.now() + withinMs,
    onRetry(error) {
      const { message } = error as Unavailable
      if (message !== logged) logger.warn({ err: error }, 'waiting')
      logged = message
    },
  })
}
