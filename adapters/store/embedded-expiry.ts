import { MINUTE_MS } from '#core/clock.ts'
import type { StoredCollection } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import { type EmbeddedDatabase, EXPIRED_ROWS, quoted, tableOf } from './embedded-database.ts'

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
    for (const collection of expiring.values()) database.transaction(() => sweepOne(database, collection))
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
      database.exec(`CREATE TABLE IF NOT EXISTS ${EXPIRED_ROWS} (collection TEXT PRIMARY KEY, row INTEGER NOT NULL)`)
      expiring.delete(collection.name)
      if (collection.expireAfter === undefined) return
      expiring.set(collection.name, collection)
      database.exec(`CREATE INDEX IF NOT EXISTS ${quoted(`doc_${collection.name} at`)} ON ${tableOf(collection)} (at)`)
    },
    sweep,
    stop: () => clearInterval(sweeper),
  }
}

/** Deletes the expired documents of a collection, and records the last one, so that a watch knows what it has missed. */
function sweepOne({ prepared }: EmbeddedDatabase, collection: StoredCollection): void {
  const { name, expireAfter = 0 } = collection
  const table = tableOf(collection)
  const before = Date.now() - expireAfter * 1000
  const { row } = prepared(`SELECT max(row) AS row FROM ${table} WHERE at < ?`).get(before) as { row: number | null }
  if (row === null) return
  prepared(
    `INSERT INTO ${EXPIRED_ROWS} VALUES (?, ?) ON CONFLICT (collection) DO UPDATE SET row = max(row, excluded.row)`,
  ).run(name, row)
  prepared(`DELETE FROM ${table} WHERE at < ?`).run(before)
}
