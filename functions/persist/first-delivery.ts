import type { Clock } from '#core/clock.ts'
import type { Store } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'

/** The number of refused commands that this instance remembers. */
const MAX_REFUSED = 10_000

/**
 * Tells first deliveries from later ones, so that retries and outages don't count as time in the queue. A KafkaSource does
 * not number its deliveries, so one instance goes by the commands that it refused, and the last failure of its store.
 */
export interface DeliveryHistory {
  /** The same store, which notes its outages here. */
  watched(store: Store): Store
  /** Notes that this delivery will be repeated. */
  refused(id: string): void
  /** True if this instance has not refused the command, and its store has not failed since the command was accepted. */
  isFirst(id: string, acceptedAt: number): boolean
}

export function deliveryHistory(clock: Clock): DeliveryHistory {
  const refused = new Set<string>()
  let failedAt = Number.NEGATIVE_INFINITY

  async function noticing<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      return await call()
    } catch (error) {
      if (error instanceof Unavailable) failedAt = clock.now()
      throw error
    }
  }

  return {
    watched: (store) => ({
      ...store,
      insert: (...args) => noticing(() => store.insert(...args)),
      commit: (...args) => noticing(() => store.commit(...args)),
      get: (...args) => noticing(() => store.get(...args)),
      find: (...args) => noticing(() => store.find(...args)),
      remove: (...args) => noticing(() => store.remove(...args)),
    }),
    refused(id) {
      refused.add(id)
      const [oldest] = refused
      if (refused.size > MAX_REFUSED && oldest !== undefined) refused.delete(oldest)
    },
    isFirst: (id, acceptedAt) => !refused.delete(id) && acceptedAt > failedAt,
  }
}
