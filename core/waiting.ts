import type { Domain } from '#domains/domain.ts'
import { alarm, type Clock, DAY_MS, OVER } from './clock.ts'
import { insertHints } from './insert-hints.ts'
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
  /** Makes it look at once. */
  rouse(): void
  resolve(receipt: Receipt): void
  reject(error: unknown): void
}

/** The pauses between the looks of a waiter while the store gives hints, which may be late or lost. */
const HINTED = { share: 1, leastMs: 250, mostMs: 1000 }
/** The pauses without hints. */
const UNHINTED = { share: 1 / 4, leastMs: 4, mostMs: 250 }
/** Refusals are rare, so waiters look for them less often, unless there is a hint. */
const REFUSAL_PAUSE_MS = 100
/** The time that a waiter waits beyond its own for a store that does not answer. */
const GRACE_MS = 200

/**
 * Waits for receipts. A waiter looks at the store at once, and again after each hint that its outcome was inserted. Hints may be late
 * or lost, so it also looks at growing intervals. All waiters share one watch for hints, and the reads of the store: one at a
 * time for each domain, which leave the store at least half of the time to others.
 */
export function waiting(store: Store, domains: Domain[], clock: Clock): Waiting {
  const byName = new Map(domains.map((domain) => [domain.name, domain]))
  const waiters = newWaiters()
  const hints = insertHints(store, domains, clock, {
    inserted(ids) {
      for (const waiter of waiters.expecting(ids))
        lookNow(Object.assign(waiter, { refusalAt: Number.NEGATIVE_INFINITY }))
    },
    ended: () => waiters.all.forEach(lookNow),
  })
  const late = alarm(clock, giveUpLate)
  let pause = new AbortController()
  let isLooking = false

  function lookNow(waiter: Waiter): void {
    waiter.due = clock.now()
    pause.abort(OVER)
  }

  async function lookWhileWaiting(): Promise<void> {
    isLooking = true
    while (waiters.all.size > 0) {
      hints.use()
      const began = clock.now()
      await Promise.all([...waiters.due(began)].map(([name, due]) => look(name, due, began)))
      const restMs = Math.min(clock.now() - began, UNHINTED.mostMs)
      if (restMs > 0) await clock.sleep(restMs)
      pause = new AbortController()
      const ms = waiters.nextDue() - clock.now()
      if (ms > 0 && waiters.all.size > 0) await clock.sleep(Math.max(ms, UNHINTED.leastMs), pause.signal)
    }
    isLooking = false
  }

  async function look(name: string, due: Waiter[], now: number): Promise<void> {
    // Before the read, so that a hint during the read makes a waiter due again.
    for (const waiter of due) waiter.due = Math.min(now + pauseOf(waiter, now, hints.isOn()), waiter.until)
    try {
      const receiptOf = await readReceipts(store, byName.get(name) as Domain, due, now)
      for (const waiter of due) {
        const receipt = receiptOf(waiter)
        if (receipt || isOver(waiter, now)) settle(waiter, receipt)
      }
    } catch (error) {
      for (const waiter of due) if (waiters.remove(waiter)) waiter.reject(error)
    }
  }

  /** Settles waiters whose time is over while the store does not answer. Returns when to do so again. */
  function giveUpLate(now: number): number | undefined {
    const waiting = [...waiters.all].filter(({ since, until }) => until > since)
    for (const waiter of waiting) if (waiter.until + GRACE_MS <= now) settle(waiter, undefined)
    const ends = waiting.map(({ until }) => until + GRACE_MS).filter((end) => end > now)
    return ends.length > 0 ? ends.reduce((a, b) => Math.min(a, b)) : undefined
  }

  function settle(waiter: Waiter, receipt: Receipt | undefined): void {
    if (!waiters.remove(waiter)) return
    if (!receipt && isExpired(waiter.address, byName.get(waiter.address.domain), clock.now())) waiter.reject(expired())
    else waiter.resolve(receipt ?? PENDING)
  }

  return {
    async wait(address, ms, signal) {
      if (!byName.has(address.domain)) {
        throw new Problem(404, 'Unknown receipt', `There is no domain ${address.domain}.`)
      }
      return await new Promise((resolve, reject) => {
        const since = clock.now()
        const times = { since, until: since + ms, due: since, refusalAt: address.time }
        const waiter: Waiter = { address, ...times, signal, rouse: () => lookNow(waiter), resolve, reject }
        waiters.add(waiter)
        if (ms > 0) late.set(waiter.until + GRACE_MS)
        if (isLooking) pause.abort(OVER)
        else void lookWhileWaiting()
      })
    },
  }
}

/** The waiters, also by the id of their command. */
function newWaiters() {
  const all = new Set<Waiter>()
  const byId = new Map<string, Set<Waiter>>()

  return {
    all,
    /** Those whose outcome may be in one of these documents: each id is that of the command, or begins with it and a dot. */
    expecting: (ids: string[]): Waiter[] =>
      byId.size === 0 ? [] : ids.flatMap((id) => [...(byId.get(id.split('.', 1)[0] ?? id) ?? [])]),
    /** Those that are due, by domain. */
    due: (now: number): Map<string, Waiter[]> =>
      Map.groupBy(
        [...all].filter(({ due }) => due <= now),
        ({ address }) => address.domain,
      ),
    /** The time of the next look. */
    nextDue(): number {
      let next = Number.POSITIVE_INFINITY
      for (const { due } of all) next = Math.min(next, due)
      return next
    },
    add(waiter: Waiter): void {
      const { id } = waiter.address
      all.add(waiter)
      byId.set(id, (byId.get(id) ?? new Set()).add(waiter))
      waiter.signal?.addEventListener('abort', waiter.rouse)
    },
    /** False if it was removed before. */
    remove(waiter: Waiter): boolean {
      const { id } = waiter.address
      const others = byId.get(id)
      others?.delete(waiter)
      if (others?.size === 0) byId.delete(id)
      waiter.signal?.removeEventListener('abort', waiter.rouse)
      return all.delete(waiter)
    },
  }
}

/** A share of the time that the waiter has waited, within limits. */
function pauseOf({ since }: Waiter, now: number, isHinted: boolean): number {
  const { share, leastMs, mostMs } = isHinted ? HINTED : UNHINTED
  return Math.min(leastMs + share * (now - since), mostMs)
}

const isOver = ({ until, signal }: Waiter, now: number): boolean => until <= now || (signal?.aborted ?? false)

/** The receipts that the store has for waiters of one domain. Looks for refusals only where it is time for that. */
async function readReceipts(store: Store, domain: Domain, all: Waiter[], now: number) {
  const addressesOf = (waiters: Waiter[]) => waiters.map(({ address }) => address)
  const applied = await readApplied(store, domain, addressesOf(all))
  const forRefusals = all.filter(
    (waiter) => !applied(waiter.address) && (isOver(waiter, now) || now - waiter.refusalAt >= REFUSAL_PAUSE_MS),
  )
  for (const waiter of forRefusals) waiter.refusalAt = now
  const refused = forRefusals.length > 0 ? await readRefused(store, addressesOf(forRefusals)) : undefined
  return ({ address }: Waiter): Receipt | undefined => applied(address) ?? refused?.(address)
}

/** True when the domain has removed its document, the only sign of a command of an append domain, because of its age. */
function isExpired({ time }: Address, domain: Domain | undefined, now: number): boolean {
  const days = domain?.kind === 'append' ? domain.documents.retentionDays : undefined
  return days !== undefined && now - time > days * DAY_MS
}

const expired = () => new Problem(410, 'Receipt expired', 'The document of this command has been removed since.')
