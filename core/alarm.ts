import type { Clock } from './clock.ts'

export interface Alarm {
  /** `ring` is called at `time`, or sooner. */
  set(time: number): void
  /** `ring` is not called any more. */
  stop(): void
}

/** The least time between two rings: deadlines that are closer together than this share one. */
const LEAST_MS = 10

/** One timer for any number of deadlines, in whatever order they are set. `ring` returns the next one that it knows of. */
export function alarm(clock: Clock, ring: (now: number) => number | undefined): Alarm {
  let due = Number.POSITIVE_INFINITY
  let timer = new AbortController()
  let isStopped = false

  async function start(): Promise<void> {
    timer.abort()
    const mine = new AbortController()
    timer = mine
    await clock.sleep(Math.max(0, due - clock.now()), mine.signal)
    if (mine.signal.aborted) return
    due = Number.POSITIVE_INFINITY
    const next = ring(clock.now())
    if (next !== undefined) set(Math.max(next, clock.now() + LEAST_MS))
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
