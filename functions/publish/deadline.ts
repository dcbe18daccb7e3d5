import { alarm, type Clock } from '#core/clock.ts'
import type { Request } from '#core/request.ts'
import { Unavailable } from '#core/unavailable.ts'

/** The time for identifying the caller, a welcome and the append together. The README promises a 503 within 2 s. */
const WITHIN_MS = 1800
/** The log settles by the deadline, and knows whether the command may be written. publish waits this much longer for it. */
const GRACE_MS = 100

/** The deadline of a response that does not wait for an outcome. It counts from the arrival of the request. */
export const deadlineOf = ({ arrived }: Pick<Request, 'arrived'>, clock: Clock): number =>
  (arrived ?? clock.now()) + WITHIN_MS

interface Pending {
  until: number
  reject(error: Unavailable): void
}

/**
 * Returns a function that rejects as "unknown" if the work has not settled shortly after its deadline. One timer serves all deadlines.
 * When the event loop is late, work whose result has already arrived still wins.
 */
export function timeLimit(clock: Clock) {
  const all = new Set<Pending>()

  const reject = (pending: Pending) => {
    if (all.has(pending)) pending.reject(new Unavailable('log', 'it did not respond in time', { mayBeWritten: true }))
  }
  const timer = alarm(clock, (now) => {
    let next: number | undefined
    for (const pending of all) {
      if (pending.until <= now) setImmediate(() => setImmediate(reject, pending))
      else if (next === undefined || pending.until < next) next = pending.until
    }
    return next
  })

  return function within<Result>(deadline: number, work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const pending = { until: deadline + GRACE_MS, reject }
      all.add(pending)
      timer.set(pending.until)
      work.then(resolve, reject).finally(() => all.delete(pending))
    })
  }
}
