export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** The time. Tests have a clock that they advance themselves. */
export interface Clock {
  now(): number
  /** Resolves after `ms`, or as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The reason to abort a sleep that is over. An abort without one makes an exception with its stack, which takes longer than the sleep. */
export const OVER = 'over'

/** The longest timer of Node, 24.8 days. A longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: Date.now,
  async sleep(ms, signal) {
    let left = ms
    do {
      await timer(Math.min(left, MAX_TIMER_MS), signal)
      left -= MAX_TIMER_MS
    } while (left > 0 && !signal?.aborted)
  },
}

/** Like `setTimeout` of node:timers/promises, at a tenth of the cost when it is aborted, since nothing is thrown. */
const timer = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const end = () => {
      clearTimeout(timeout)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timeout = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })

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
  return await Promise.race([work, passed]).finally(() => done.abort(OVER))
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
  let sleeping = new AbortController()
  let isStopped = false

  async function start(): Promise<void> {
    sleeping.abort(OVER)
    const current = new AbortController()
    sleeping = current
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
      sleeping.abort(OVER)
    },
  }
}
