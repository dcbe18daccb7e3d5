import { setImmediate } from 'node:timers/promises'
import type { Clock } from '#core/clock.ts'

export interface ManualClock extends Clock {
  /**
   * Advances the time. Sleepers wake in the order of their times, and each gets turns of the event loop before the next one. A
   * sleeper that sleeps again within the interval wakes again.
   */
  advance(ms: number): Promise<void>
  /** The number of sleepers. */
  sleepers(): number
}

/** A clock that only a test advances, so that days of retries take milliseconds. */
export function manualClock(start = Date.UTC(2030, 0, 1)): ManualClock {
  const sleeping = new Set<{ due: number; wake(): void }>()
  let now = start

  /** The next sleeper. Of several with the same time, the one that went to sleep first. */
  function nextDue(until: number) {
    let next: { due: number; wake(): void } | undefined
    for (const sleeper of sleeping) if (sleeper.due <= until && (!next || sleeper.due < next.due)) next = sleeper
    return next
  }

  return {
    now: () => now,
    sleepers: () => sleeping.size,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const sleeper = { due: now + ms, wake }
        function wake() {
          sleeping.delete(sleeper)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        signal?.addEventListener('abort', wake)
        sleeping.add(sleeper)
      }),
    async advance(ms) {
      const until = now + ms
      await turns()
      for (let next = nextDue(until); next; next = nextDue(until)) {
        now = Math.max(now, next.due)
        next.wake()
        await turns()
      }
      now = until
    },
  }
}

/** Enough turns of the event loop for chains of promises, but not for the network. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate()
}
