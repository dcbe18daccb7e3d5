import { setImmediate } from 'node:timers/promises'
import type { Clock } from '#core/clock.ts'

export interface ManualClock extends Clock {
  /**
   * Moves time on. Whoever is due in between wakes at its own time, in order, and gets turns of the event loop to go on
   * before the next one: who sleeps again within the time wakes again.
   */
  advance(ms: number): Promise<void>
  /** How many sleep. */
  sleepers(): number
}

/** Time that stands still until a test moves it: days of retries take milliseconds. */
export function manualClock(start = Date.UTC(2030, 0, 1)): ManualClock {
  const sleeping = new Set<{ due: number; wake(): void }>()
  let now = start

  /** Of those that are due at the same time, the one that went to sleep first. */
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

/** Enough for promises that wait for each other; not for the network. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate()
}
