import { setTimeout } from 'node:timers/promises'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** The time. Tests have a clock that they advance themselves. */
export interface Clock {
  now(): number
  /** Resolves after `ms`, or as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The longest timer of Node, 24.8 days. A longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: Date.now,
  async sleep(ms, signal) {
    let left = ms
    do {
      await setTimeout(Math.min(left, MAX_TIMER_MS), undefined, { signal, ref: true }).catch(() => undefined)
      left -= MAX_TIMER_MS
    } while (left > 0 && !signal?.aborted)
  },
}

/** Settles as `work` does, or rejects with `late()` at `deadline`. Never stops `work`. */
export async function inTime<Result>(
  clock: Clock,
  deadline: number,
  work: Promise<Result>,
  late: () => Error,
): Promise<Result> {
  const done = new AbortController()
  const passed = clock.sleep(Math.max(0, deadline - clock.now()), done.signal).then(() => {
    if (!done.signal.aborted) throw late()
    return work
  })
  passed.catch(() => undefined)
  return await Promise.race([work, passed]).finally(() => done.abort())
}

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
