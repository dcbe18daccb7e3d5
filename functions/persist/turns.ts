import type { Clock } from '#adapters/clock.ts'

/** How long a turn should take: who waits for it is a person. */
const TURN_MS = 100
const FIRST_ITEMS = 16

export interface Turns {
  /** The largest batch that this domain may have now. */
  limit(domain: string): number
  /** Runs `work` alone: after the work of all who asked before, ahead of all who ask later. `items` is the size of the batch. */
  take<Result>(domain: string, items: number, work: () => Promise<Result>): Promise<Result>
  /** Turns are not needed any more, and batches not limited. */
  end(): void
}

/**
 * One domain works at a time, and each in its turn, since none asks again before its batch is done. How large a domain's batch may be
 * follows from how long its last one took, so that a domain with a long backlog does not keep the others waiting.
 */
export function turns(clock: Clock): Turns {
  let before: Promise<unknown> = Promise.resolve()
  let isEnded = false
  const limits = new Map<string, number>()
  const limitOf = (domain: string) => limits.get(domain) ?? FIRST_ITEMS

  function adjust(domain: string, items: number, tookMs: number): void {
    if (tookMs > TURN_MS) limits.set(domain, Math.max(1, Math.floor((items * TURN_MS) / tookMs)))
    else if (tookMs < TURN_MS / 2 && items >= limitOf(domain)) limits.set(domain, 2 * items)
  }

  return {
    limit: (domain) => (isEnded ? Number.POSITIVE_INFINITY : limitOf(domain)),
    take(domain, items, work) {
      const done = before.then(async () => {
        const began = clock.now()
        return await work().finally(() => adjust(domain, items, clock.now() - began))
      })
      before = done.catch(() => undefined)
      return done
    },
    end() {
      isEnded = true
    },
  }
}
