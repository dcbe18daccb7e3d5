import type { Clock } from './clock.ts'

export interface Alarm {
  /** Makes `ring` run at `time` or earlier. */
  set(time: number): void
  /** Ends the alarm: `ring` does not run again. */
  stop(): void
}

/** The shortest time between two runs of `ring`. Deadlines that are closer together share one. */
const MIN_INTERVAL_MS = 10

/** One timer for any number of deadlines, set in any order. `ring` returns the next deadline, if there is one. */
export function alarm(clock: Clock, ring: (now: number) => number | undefined): Alarm {
  let due = Number.POSITIVE_INFINITY
  let timer = new AbortController()
  let isStopped = false

  async function start(): Promise<void> {
    timer.abort()
    const current = new AbortController()
    timer = current
    await clock.sleep(Math.max(0, due - clock.now()), current.signal)
    if (current.signal.aborted) return
    due = Number.POSITIVE_INFINITY
    const next = ring(clock.now())
    if (next !== undefined) set(Math.max(next, clock.now() + MIN_INTERVAL_MS))
  }

  function set(time: number): void {
    if (isStopped || time >= due) return
    due = time
    void start()
  }

  return {
    set,
    stop() {
      isStopped = true
      timer.abort()
    },
  }
}
