import type { Clock } from '#core/clock.ts'

/** The length of a turn while other domains wait: people wait for them. */
const TURN_MS = 100
/** A turn may be so many times longer while no other domain has asked for a while: large batches cost less. */
const ALONE = 5
const ALONE_AFTER_MS = 5000
const FIRST_ITEMS = 16

export interface DomainTurns {
  /** The most items of this domain's next batch. */
  limit(domain: string): number
  /** Runs `work` alone, in the order of the calls. `items` is the size of the batch. */
  take<Result>(domain: string, items: number, work: () => Promise<Result>): Promise<Result>
  /** Ends the limits. */
  end(): void
}

/**
 * One domain works at a time, each in its turn, since none asks again before its batch is done. The time that its last batch
 * took limits a domain's next one, so that a domain with a long backlog does not hold up the others.
 */
export function domainTurns(clock: Clock): DomainTurns {
  let before: Promise<unknown> = Promise.resolve()
  let isEnded = false
  /** The number of items that take TURN_MS, by domain. */
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
