import { alarm } from '#core/alarm.ts'
import type { Clock } from '#core/clock.ts'
import type { Request } from '#core/request.ts'
import { Unavailable } from '#core/unavailable.ts'

/** All that must end before a 503 that the README promises within 2 s: the caller, a welcome, the append. */
const WITHIN_MS = 1800
/** The log answers by the deadline, and knows whether the command may be written. So much later it is not waited for. */
const GRACE_MS = 100

/** By when a request must have its answer, unless it waits for an outcome: counted from its arrival, whatever is done for it. */
export const deadlineOf = ({ arrived }: Pick<Request, 'arrived'>, clock: Clock): number =>
  (arrived ?? clock.now()) + WITHIN_MS

interface Waiting {
  until: number
  reject(error: Unavailable): void
}

/**
 * Rejects with "unknown" what is not settled shortly after its deadline. One timer for all. When the event loop is late, what it has
 * still to do goes first: an answer that is there already is given.
 */
export function timeLimit(clock: Clock) {
  const all = new Set<Waiting>()

  const reject = (waiting: Waiting) => {
    if (all.has(waiting)) waiting.reject(new Unavailable('log', 'no answer in time', { mayBeWritten: true }))
  }
  const late = alarm(clock, (now) => {
    let next: number | undefined
    for (const waiting of all) {
      if (waiting.until <= now) setImmediate(() => setImmediate(reject, waiting))
      else if (next === undefined || waiting.until < next) next = waiting.until
    }
    return next
  })

  return function within<Result>(deadline: number, work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const waiting = { until: deadline + GRACE_MS, reject }
      all.add(waiting)
      late.set(waiting.until)
      work.then(resolve, reject).finally(() => all.delete(waiting))
    })
  }
}
