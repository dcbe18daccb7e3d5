import type { Clock } from '#core/clock.ts'

/** How long a turn should take while others want theirs: who waits for it is a person. */
const TURN_MS = 100
/** So many times longer may a turn take while nobody else has asked for one for a while: large batches cost less. */
const ALONE = 5
const ALONE_AFTER_MS = 5000
const FIRST_ITEMS = 16

export interface DomainTurns {
  /** The largest batch that this domain may have now. */
  limit(domain: string): number
  /** Runs `work` alone: after the work of all who asked before, ahead of all who ask later. `items` is the size of the batch. */
  take<Result>(domain: string, items: number, work: () => Promise<Result>): Promise<Result>
  /** DomainTurns are not needed any more, and batches not limited. */
  end(): void
}

/**
 * One domain works at a time, and each in its turn, since none asks again before its batch is done. How large a domain's batch may be
 * follows from how long its last one took, so that a domain with a long backlog does not keep the others waiting.
 */
export function domainTurns(clock: Clock): DomainTurns {
  let before: Promise<unknown> = Promise.resolve()
  let isEnded = false
  /** How many items take TURN_MS. */
  const sizes = new Map<string, number>()
  const asked = new Map<string, number>()
  const sizeOf = (domain: string) => sizes.get(domain) ?? FIRST_ITEMS

  function shareOf(domain: string): number {
    for (const [other, at] of asked) if (other !== domain && clock.now() - at < ALONE_AFTER_MS) return 1
    return ALONE
  }

  function adjust(domain: string, items: number, tookMs: number): void {
    const share = shareOf(domain)
    if (tookMs > share * TURN_MS) sizes.set(domain, Math.max(1, Math.floor((items * TURN_MS) / tookMs)))
    else if (tookMs < (share * TURN_MS) / 2 && items >= share * sizeOf(domain)) sizes.set(domain, 2 * sizeOf(domain))
  }

  return {
    limit: (domain) => (isEnded ? Number.POSITIVE_INFINITY : shareOf(domain) * sizeOf(domain)),
    take(domain, items, work) {
      asked.set(domain, clock.now())
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
