import { MINUTE_MS } from '#core/clock.ts'
import type { StoredCollection } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import { type EmbeddedDatabase, quoted, tableOf } from './embedded-database.ts'

const SWEEP_MS = MINUTE_MS

export interface EmbeddedExpiry {
  /** Starts or ends the expiry of a collection, as the collection declares. */
  set(collection: StoredCollection): void
  /** Deletes every expired document now. */
  sweep(): void
  stop(): void
}

/** Deletes expired documents once a minute. */
export function embeddedExpiry(database: EmbeddedDatabase): EmbeddedExpiry {
  const expiring = new Map<string, StoredCollection>()
  const sweeper = setInterval(sweepIfAvailable, SWEEP_MS).unref()

  function sweep(): void {
    for (const collection of expiring.values()) {
      const { expireAfter = 0 } = collection
      database.prepared(`DELETE FROM ${tableOf(collection)} WHERE at < ?`).run(Date.now() - expireAfter * 1000)
    }
  }

  /** Ignores an outage: the next call of the store reports it, and the next sweep deletes what this one leaves. */
  function sweepIfAvailable(): void {
    try {
      database.orUnavailable(sweep)
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
    }
  }

  return {
    set(collection) {
      expiring.delete(collection.name)
      if (collection.expireAfter === undefined) return
      expiring.set(collection.name, collection)
      database.exec(`CREATE INDEX IF NOT EXISTS ${quoted(`doc_${collection.name} at`)} ON ${tableOf(collection)} (at)`)
    },
    sweep,
    stop: () => clearInterval(sweeper),
  }
}
