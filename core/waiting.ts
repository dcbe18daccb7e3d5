import type { Domain } from '#domains/domain.ts'
import { type Clock, DAY_MS } from './clock.ts'
import { Problem } from './problem.ts'
import { type Address, PENDING, type Receipt, readApplied, readRefused } from './receipts.ts'
import type { Store } from './store.ts'

const forgotten = () =>
  new Problem(410, 'Receipt expired', 'The document that told of this command has been removed since.')

export interface Waiting {
  /**
   * The receipt as soon as it isn't pending, else as it is after `ms`; who asks without waiting hears of an outage as soon as
   * the store does. Rejects with `Unavailable` in an outage.
   */
  wait(address: Address, ms: number, signal?: AbortSignal): Promise<Receipt>
}

interface Waiter {
  address: Address
  since: number
  until: number
  /** When it is looked for next. */
  due: number
  lookedForRefused: number
  signal: AbortSignal | undefined
  resolve(receipt: Receipt): void
  reject(error: unknown): void
}

const LEAST_PAUSE_MS = 4
const LONGEST_PAUSE_MS = 250
/** What is refused is rare, and looked for less often. */
const LOOK_FOR_REFUSED_EVERY_MS = 100
/** How much longer than it wanted one waits for a store that does not answer. */
const LATE_MS = 200
/** How much the last outcome moves what is expected of the next. */
const LEARN = 0.05

/**
 * Waits for receipts. All who wait share the looks at the store; each is looked for about when its outcome is to be
 * expected, as it went with those before it, and the store has half of the time to itself.
 */
export function waiting(store: Store, domains: Domain[], clock: Clock): Waiting {
  const waiters = new Set<Waiter>()
  let isLooking = false
  let expectedMs = LEAST_PAUSE_MS

  async function run(): Promise<void> {
    isLooking = true
    while (waiters.size > 0) {
      const began = clock.now()
      const looked = new AbortController()
      const looks = Promise.all(domains.map((domain) => look(domain, began))).finally(() => looked.abort())
      await Promise.all([looks, giveUp(looked.signal)])
      const pause = Math.min(Math.max(clock.now() - began, LEAST_PAUSE_MS), LONGEST_PAUSE_MS)
      if (waiters.size > 0) await clock.sleep(pause)
    }
    isLooking = false
  }

  /** Settles who has waited too long while the store does not answer. */
  async function giveUp(looked: AbortSignal): Promise<void> {
    while (!looked.aborted) {
      await clock.sleep(LATE_MS, looked)
      const now = clock.now()
      for (const waiter of waiters) {
        const isLate = waiter.until > waiter.since && waiter.until + LATE_MS <= now
        if (isLate) settle(waiter, undefined)
      }
    }
  }

  async function look(domain: Domain, now: number): Promise<void> {
    const isOver = ({ until, signal }: Waiter) => until <= now || signal?.aborted
    const group = [...waiters].filter(
      (waiter) => waiter.address.domain === domain.name && (waiter.due <= now || isOver(waiter)),
    )
    if (group.length === 0) return
    const thorough = group.filter(
      (waiter) => isOver(waiter) || now - waiter.lookedForRefused >= LOOK_FOR_REFUSED_EVERY_MS,
    )
    for (const waiter of thorough) waiter.lookedForRefused = now
    const addresses = (waiters: Waiter[]) => waiters.map(({ address }) => address)
    try {
      const [applied, refused] = await Promise.all([
        readApplied(store, domain, addresses(group)),
        thorough.length > 0 ? readRefused(store, addresses(thorough)) : undefined,
      ])
      for (const waiter of group) {
        const receipt = applied(waiter.address) ?? refused?.(waiter.address)
        if (receipt || isOver(waiter)) settle(waiter, receipt)
        else waiter.due = now + pauseFor(now - waiter.since)
      }
    } catch (error) {
      for (const waiter of group) {
        waiters.delete(waiter)
        waiter.reject(error)
      }
    }
  }

  function settle(waiter: Waiter, receipt: Receipt | undefined): void {
    waiters.delete(waiter)
    if (!receipt && isForgotten(waiter.address)) waiter.reject(forgotten())
    else waiter.resolve(receipt ?? PENDING)
    if (receipt) expectedMs += LEARN * (clock.now() - waiter.since - expectedMs)
  }

  /** Only its document told of it, and that has been removed since. */
  function isForgotten({ domain: name, time }: Address): boolean {
    const domain = domains.find((domain) => domain.name === name)
    const days = domain?.kind === 'append' ? domain.documents.retentionDays : undefined
    return days !== undefined && clock.now() - time > days * DAY_MS
  }

  /** A quarter of the time that it has taken so far, or is expected to take. */
  const pauseFor = (waited: number): number =>
    Math.min(Math.max(waited, expectedMs) / 4 + LEAST_PAUSE_MS, LONGEST_PAUSE_MS)

  return {
    wait(address, ms, signal) {
      if (!domains.some(({ name }) => name === address.domain)) {
        return Promise.reject(new Problem(404, 'Unknown receipt', `There is no domain ${address.domain}.`))
      }
      return new Promise((resolve, reject) => {
        const since = clock.now()
        const due = since + Math.min(0.75 * expectedMs, LONGEST_PAUSE_MS)
        waiters.add({ address, since, until: since + ms, due, lookedForRefused: since, signal, resolve, reject })
        if (!isLooking) void run()
      })
    },
  }
}
