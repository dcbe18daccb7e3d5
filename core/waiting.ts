import type { Domain } from '#domains/domain.ts'
import { type Clock, DAY_MS } from './clock.ts'
import { Problem } from './problem.ts'
import { type Address, PENDING, type Receipt, readApplied, readRefused } from './receipts.ts'
import type { Store } from './store.ts'

export interface Waiting {
  /**
   * The receipt as soon as it is not pending, or as it is after `ms`. With `ms` 0 it waits for the store only. Rejects with
   * `Unavailable` in an outage, and with a problem for an unknown domain (404) or an expired document (410).
   */
  wait(address: Address, ms: number, signal?: AbortSignal): Promise<Receipt>
}

interface Waiter {
  address: Address
  since: number
  until: number
  /** The time of its next look. */
  due: number
  /** The time of its last look for a refusal. */
  refusalAt: number
  signal: AbortSignal | undefined
  resolve(receipt: Receipt): void
  reject(error: unknown): void
}

const MIN_PAUSE_MS = 4
const MAX_PAUSE_MS = 250
/** Refusals are rare, so polling looks for them less often. */
const REFUSAL_PAUSE_MS = 100
/** The time that a waiter waits beyond its own for a store that does not answer. */
const GRACE_MS = 200
/** The weight of the last latency in the expected one. */
const LEARNING_RATE = 0.05

/**
 * Waits for receipts by polling. All waiters share the reads of the store. Polling adapts to recent latency, and leaves the store
 * at least half of the time to others.
 */
export function waiting(store: Store, domains: Domain[], clock: Clock): Waiting {
  const waiters = new Set<Waiter>()
  const latency = expectedLatency()
  let isPolling = false

  async function poll(): Promise<void> {
    isPolling = true
    while (waiters.size > 0) {
      const began = clock.now()
      const looked = new AbortController()
      const looks = Promise.all(domains.map((domain) => look(domain, began))).finally(() => looked.abort())
      await Promise.all([looks, giveUpLate(looked.signal)])
      if (waiters.size > 0) await clock.sleep(pauseWithin(clock.now() - began))
    }
    isPolling = false
  }

  async function look(domain: Domain, now: number): Promise<void> {
    const due = [...waiters].filter(
      (waiter) => waiter.address.domain === domain.name && (waiter.due <= now || isOver(waiter, now)),
    )
    if (due.length === 0) return
    try {
      const receiptOf = await readReceipts(store, domain, due, now)
      for (const waiter of due) {
        const receipt = receiptOf(waiter)
        if (receipt || isOver(waiter, now)) settle(waiter, receipt)
        else waiter.due = now + latency.pauseAfter(now - waiter.since)
      }
    } catch (error) {
      for (const waiter of due) {
        waiters.delete(waiter)
        waiter.reject(error)
      }
    }
  }

  /** Settles waiters whose time is over while the store does not answer. */
  async function giveUpLate(looked: AbortSignal): Promise<void> {
    while (!looked.aborted) {
      await clock.sleep(GRACE_MS, looked)
      const now = clock.now()
      for (const waiter of waiters) {
        const hasWaited = waiter.until > waiter.since && waiter.until + GRACE_MS <= now
        if (hasWaited) settle(waiter, undefined)
      }
    }
  }

  function settle(waiter: Waiter, receipt: Receipt | undefined): void {
    waiters.delete(waiter)
    const now = clock.now()
    if (receipt) latency.learn(now - waiter.since)
    if (!receipt && isExpired(waiter.address, domains, now)) waiter.reject(expired())
    else waiter.resolve(receipt ?? PENDING)
  }

  return {
    async wait(address, ms, signal) {
      if (!domains.some(({ name }) => name === address.domain)) {
        throw new Problem(404, 'Unknown receipt', `There is no domain ${address.domain}.`)
      }
      return await new Promise((resolve, reject) => {
        const since = clock.now()
        const due = since + latency.firstPause()
        waiters.add({ address, since, until: since + ms, due, refusalAt: since, signal, resolve, reject })
        if (!isPolling) void poll()
      })
    },
  }
}

/** The latency to expect of the next outcome, and the pauses before looks for it. */
function expectedLatency() {
  let expectedMs = MIN_PAUSE_MS
  return {
    learn(ms: number): void {
      expectedMs += LEARNING_RATE * (ms - expectedMs)
    },
    firstPause: () => Math.min(0.75 * expectedMs, MAX_PAUSE_MS),
    /** A quarter of the time that the outcome has taken so far, or is expected to take. */
    pauseAfter: (waitedMs: number) => pauseWithin(Math.max(waitedMs, expectedMs) / 4 + MIN_PAUSE_MS),
  }
}

const pauseWithin = (ms: number): number => Math.min(Math.max(ms, MIN_PAUSE_MS), MAX_PAUSE_MS)

const isOver = ({ until, signal }: Waiter, now: number): boolean => until <= now || (signal?.aborted ?? false)

/** The receipts that the store has for waiters of one domain. Looks for refusals only where it is time for that. */
async function readReceipts(store: Store, domain: Domain, all: Waiter[], now: number) {
  const forRefusals = all.filter((waiter) => isOver(waiter, now) || now - waiter.refusalAt >= REFUSAL_PAUSE_MS)
  for (const waiter of forRefusals) waiter.refusalAt = now
  const addressesOf = (waiters: Waiter[]) => waiters.map(({ address }) => address)
  const [applied, refused] = await Promise.all([
    readApplied(store, domain, addressesOf(all)),
    forRefusals.length > 0 ? readRefused(store, addressesOf(forRefusals)) : undefined,
  ])
  return ({ address }: Waiter): Receipt | undefined => applied(address) ?? refused?.(address)
}

/** True when the domain has removed its document, the only sign of a command of an append domain, because of its age. */
function isExpired({ domain: name, time }: Address, domains: Domain[], now: number): boolean {
  const domain = domains.find((domain) => domain.name === name)
  const days = domain?.kind === 'append' ? domain.documents.retentionDays : undefined
  return days !== undefined && now - time > days * DAY_MS
}

const expired = () => new Problem(410, 'Receipt expired', 'The document of this command has been removed since.')
