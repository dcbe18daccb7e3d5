import { type Clock, systemClock } from './clock.ts'
import type { Logger } from './telemetry.ts'
import { Unavailable } from './unavailable.ts'

const PAUSE_MS = 500

export interface WaitOptions {
  logger: Pick<Logger, 'warn'>
  withinMs?: number | undefined
  clock?: Clock
}

/**
 * Repeats `work` while the log or the store is unavailable, for at most `withinMs`. Logs the error whenever it
 * changes. So a process may start before its servers.
 */
export async function untilAvailable<Result>(
  work: () => Promise<Result>,
  { logger, withinMs = Number.POSITIVE_INFINITY, clock = systemClock }: WaitOptions,
): Promise<Result> {
  const deadline = clock.now() + withinMs
  let reported = ''
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Unavailable) || clock.now() + PAUSE_MS > deadline) throw error
      if (error.message !== reported) logger.warn({ err: error }, 'waiting')
      reported = error.message
      await clock.sleep(PAUSE_MS)
    }
  }
}
