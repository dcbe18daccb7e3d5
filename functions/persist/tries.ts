import type { Clock } from '#adapters/clock.ts'
import type { Store } from '#adapters/store/store.ts'
import { attempts, runs } from '../collections.ts'

/** Longer than the longest pause between two deliveries of one record (1000 retries, linear, 1 s). */
const CAREFUL_MS = 20 * 60_000

/** What is forgotten beyond it went to other instances, or counts one try too many. */
const MOST_OWED = 20_000

/**
 * Counts how often a command was tried, durably and before the try, because a KafkaSource forgets its own count and a
 * try that crashes the process can't count itself. Counting everything would cost two writes a batch, so the first try
 * of a batch is free, except for a while after a crash: then one of the commands that come back may be its cause.
 */
export interface Tries {
  careful(): Promise<boolean>
  /** The tries so far of those that have any. */
  before(ids: string[]): Promise<Map<string, number>>
  /** Counts one more try of each; resolves with the tries so far. */
  count(ids: string[]): Promise<Map<string, number>>
  /** An outage ended these tries: the next ones are the same tries. */
  uncount(tries: Map<string, number>): void
  forget(ids: string[]): Promise<void>
  /** This instance stops as it should: it has not crashed. */
  end(): Promise<void>
}

export function tries(store: Store, instance: string, clock: Clock): Tries {
  let carefulUntil: Promise<number> | undefined
  const owed = new Map<string, number>()

  async function begin(): Promise<number> {
    const crashed = await store.insert(runs, [{ _id: instance, at: new Date(clock.now()).toISOString() }])
    return crashed.size > 0 ? clock.now() + CAREFUL_MS : 0
  }

  return {
    async careful() {
      carefulUntil ??= begin().catch((error) => {
        carefulUntil = undefined
        throw error
      })
      return clock.now() < (await carefulUntil)
    },
    async before(ids) {
      const counted = await store.get(attempts, ids)
      // What is owed was given back: its next try is the one that was counted.
      const made = ids.map((id) => [id, Number(counted.get(id)?.count ?? 0) - (owed.has(id) ? 1 : 0)] as const)
      return new Map(made.filter(([, count]) => count > 0))
    },
    async count(ids) {
      const known = new Map<string, number>()
      for (const id of ids) {
        const tries = owed.get(id)
        if (tries !== undefined) known.set(id, tries)
      }
      const uncounted = ids.filter((id) => !known.has(id))
      const counted = uncounted.length > 0 ? await store.increment(attempts, uncounted) : []
      for (const id of known.keys()) owed.delete(id)
      return new Map([...known, ...counted])
    },
    uncount(tries) {
      for (const [id, count] of tries) owed.set(id, count)
      for (const id of owed.keys()) {
        if (owed.size <= MOST_OWED) break
        owed.delete(id)
      }
    },
    forget: (ids) => (ids.length > 0 ? store.remove(attempts, ids) : Promise.resolve()),
    async end() {
      if (carefulUntil) await store.remove(runs, [instance])
    },
  }
}
