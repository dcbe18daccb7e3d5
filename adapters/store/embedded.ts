import { MINUTE_MS } from '#core/clock.ts'
import { sorted } from '#core/index-range.ts'
import {
  type Count,
  type Counted,
  countsFrom,
  type Find,
  Refused,
  type Store,
  type StoredCollection,
} from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document } from '#domains/domain.ts'
import type { EmbeddedFile } from '../embedded/file.ts'
import { commitTo } from './embedded-commit.ts'
import { embeddedDatabase, quoted, tableOf } from './embedded-database.ts'
import { countSql, findSql } from './embedded-find.ts'
import { makeIndex } from './embedded-index.ts'
import { watchersOf } from './embedded-watch.ts'

const SWEEP_MS = MINUTE_MS

/** The store in the embedded file: a table for each collection, an index on its JSON for each declared index. */
export function embeddedStore(file: EmbeddedFile): Store {
  const database = embeddedDatabase(file)
  const { prepared, transaction, answered, isOutage, probeWrite } = database
  const watchers = watchersOf(database)
  const expiring = new Map<string, StoredCollection>()

  const sweeper = setInterval(sweepIfPossible, SWEEP_MS).unref()

  function sweep(): void {
    for (const collection of expiring.values()) {
      const { expireAfter = 0 } = collection
      prepared(`DELETE FROM ${tableOf(collection)} WHERE at < ?`).run(Date.now() - expireAfter * 1000)
    }
  }

  /** Nobody waits for it: whoever asks next is told of the outage, and the next sweep takes what this one leaves. */
  function sweepIfPossible(): void {
    try {
      answered(sweep)
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
    }
  }

  function prepare(collection: StoredCollection): void {
    const table = tableOf(collection)
    database.exec(`CREATE TABLE IF NOT EXISTS ${table} (
      row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, body TEXT NOT NULL)`)
    for (const index in collection.indexes) makeIndex(database, collection, index)
    expiring.delete(collection.name)
    if (collection.expireAfter === undefined) return
    expiring.set(collection.name, collection)
    database.exec(`CREATE INDEX IF NOT EXISTS ${quoted(`doc_${collection.name} at`)} ON ${table} (at)`)
  }

  function insert(collection: StoredCollection, documents: Document[]): Set<string> {
    const present = new Set<string>()
    if (documents.length === 0) return present
    const statement = prepared(
      `INSERT INTO ${tableOf(collection)} (id, at, body) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`,
    )
    const now = Date.now()
    const refused = transaction(() => {
      const refused = new Map<string, string>()
      for (const document of documents) {
        try {
          const { changes } = statement.run(
            document._id,
            countsFrom(document, collection, now),
            JSON.stringify(document),
          )
          if (changes === 0) present.add(document._id)
        } catch (error) {
          if (isOutage(error)) throw error
          refused.set(document._id, (error as Error).message)
        }
      }
      return refused
    })
    if (present.size + refused.size < documents.length) watchers.wake()
    if (refused.size > 0) throw new Refused(refused)
    return present
  }

  function find(collection: StoredCollection, query: Find): Document[] {
    const found: Document[] = []
    for (const { sql, values } of findSql(collection, query)) {
      const rows = prepared(sql).all(...values, query.limit - found.length, query.skip ?? 0) as { body: string }[]
      for (const { body } of rows) found.push(JSON.parse(body))
      if (found.length >= query.limit) break
    }
    return found
  }

  function count(collection: StoredCollection, query: Count): Counted[] {
    const { sql, values } = countSql(collection, query)
    const statement = prepared(sql)
    statement.setReturnArrays(true)
    const rows = statement.all(...values, query.limit + 1) as unknown as [number, ...(string | number | null)[]][]
    const groups = rows.map(([count, ...key]) => ({ key, count }))
    return sorted(groups, query)
  }

  return {
    prepare: async (wanted) =>
      answered(() => {
        for (const collection of wanted) prepare(collection)
        sweep()
      }),

    insert: async (collection, documents) => answered(() => insert(collection, documents)),

    commit: async (writes) =>
      answered(() => {
        commitTo(database, writes)
        watchers.wake()
      }),

    get: async (collection, ids) =>
      answered(() => {
        const select = prepared(`SELECT body FROM ${tableOf(collection)} WHERE id IN (SELECT value FROM json_each(?))`)
        const rows = select.all(JSON.stringify(ids)) as { body: string }[]
        const documents = rows.map(({ body }) => JSON.parse(body) as Document)
        return new Map(documents.map((document) => [document._id, document]))
      }),

    find: async (collection, query) => answered(() => find(collection, query)),

    count: async (collection, query) => answered(() => count(collection, query)),

    remove: async (collection, ids) =>
      answered(() => {
        const remove = prepared(`DELETE FROM ${tableOf(collection)} WHERE id IN (SELECT value FROM json_each(?))`)
        remove.run(JSON.stringify(ids))
      }),

    watch: watchers.watch,

    ping: async () => answered(probeWrite),

    async close() {
      database.close()
      clearInterval(sweeper)
      watchers.wake()
    },
  }
}
