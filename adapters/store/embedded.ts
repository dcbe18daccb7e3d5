import type { SQLInputValue, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { countsFrom, sorted } from '#core/indexes.ts'
import { type Count, type Counted, type Find, Refused, type Store, type StoredCollection } from '#core/store.ts'
import type { Logger } from '#core/telemetry.ts'
import type { Document } from '#domains/domain.ts'
import type { EmbeddedFile } from '../embedded/file.ts'
import { commitTo } from './embedded-commit.ts'
import { type EmbeddedDatabase, embeddedDatabase, tableOf, watchersOf } from './embedded-database.ts'
import { embeddedExpiry } from './embedded-expiry.ts'
import { countSql, findSql } from './embedded-find.ts'
import { differs, makeIndex } from './embedded-index.ts'

/**
 * The store in the embedded file: a table for each collection, and an index on its JSON for each declared index. `prepare` logs a warning for
 * an index that exists with other fields.
 */
export function embeddedStore(file: EmbeddedFile, logger?: Pick<Logger, 'warn'>): Store {
  const database = embeddedDatabase(file)
  const { prepared, orUnavailable, probeWrite } = database
  const watchers = watchersOf(database)
  const expiry = embeddedExpiry(database)
  const getOne = readerOfOne(database)

  return {
    prepare: async (wanted) =>
      orUnavailable(() => {
        for (const collection of wanted) {
          makeTable(database, collection)
          expiry.set(collection)
          const other = Object.keys(collection.indexes).filter((index) => differs(database, collection, index))
          for (const index of other) logger?.warn({}, otherFields(collection, index))
        }
        expiry.sweep()
      }),

    async insert(collection, documents) {
      const result: InsertResult = { present: new Set(), refused: new Map() }
      for (let at = 0; at < documents.length; ) {
        if (at > 0) await setImmediate()
        const count = orUnavailable(() => insertInto(database, collection, documents.slice(at), result))
        const stored = documents.slice(at, at + count).filter(({ _id }) => !result.refused.has(_id))
        watchers.wake([{ collection, insert: stored }])
        at += count
      }
      if (result.refused.size > 0) throw new Refused(result.refused)
      return result.present
    },

    commit: async (writes) =>
      orUnavailable(() => {
        commitTo(database, writes)
        watchers.wake(writes)
      }),

    get: async (collection, ids) =>
      orUnavailable(() => {
        if (ids.length === 1) return getOne(collection, ids[0] as string)
        const found = 'IN (SELECT value FROM json_each(?))'
        const select = prepared(`SELECT body FROM ${tableOf(collection)} WHERE id ${found}`)
        return new Map(documentsOf(select, JSON.stringify(ids)).map((document) => [document._id, document]))
      }),

    find: async (collection, query) => orUnavailable(() => findIn(database, collection, query)),

    count: async (collection, query) => orUnavailable(() => countIn(database, collection, query)),

    remove: async (collection, ids) =>
      orUnavailable(() => {
        const remove = prepared(`DELETE FROM ${tableOf(collection)} WHERE id IN (SELECT value FROM json_each(?))`)
        remove.run(JSON.stringify(ids))
      }),

    watch: watchers.watch,
    watchIds: watchers.watchIds,

    ping: async () => orUnavailable(probeWrite),

    async close() {
      database.close()
      expiry.stop()
      watchers.wake([])
    },
  }
}

const otherFields = ({ name }: StoredCollection, index: string): string =>
  `the index ${index} of ${name} has other fields in the store. Give it another name: the one that exists is not made again.`

function makeTable(database: EmbeddedDatabase, collection: StoredCollection): void {
  database.exec(`CREATE TABLE IF NOT EXISTS ${tableOf(collection)} (
    row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, body TEXT NOT NULL)`)
  for (const index in collection.indexes) makeIndex(database, collection, index)
}

/** The documents that a statement selects. SQLite makes a row of one column in half the time as an array. */
function documentsOf(select: StatementSync, ...values: SQLInputValue[]): Document[] {
  select.setReturnArrays(true)
  const rows = select.all(...values) as unknown as [body: string][]
  return rows.map(([body]) => JSON.parse(body))
}

/** Returns a function that reads one document. It finds its statement by the name of the collection, since making the SQL takes longer. */
function readerOfOne({ prepared }: EmbeddedDatabase) {
  const selects = new Map<string, StatementSync>()

  function selectOf(collection: StoredCollection): StatementSync {
    const select = prepared(`SELECT body FROM ${tableOf(collection)} WHERE id = ?`)
    select.setReturnArrays(true)
    selects.set(collection.name, select)
    return select
  }

  return (collection: StoredCollection, id: string): Map<string, Document> => {
    const select = selects.get(collection.name) ?? selectOf(collection)
    const row = select.get(id) as unknown as [body: string] | undefined
    return new Map(row ? [[id, JSON.parse(row[0])]] : [])
  }
}

function findIn({ prepared }: EmbeddedDatabase, collection: StoredCollection, query: Find): Document[] {
  const found: Document[] = []
  for (const { sql, values } of findSql(collection, query)) {
    const documents = documentsOf(prepared(sql), ...values, query.limit - found.length, query.skip ?? 0)
    for (const document of documents) found.push(document)
    if (found.length >= query.limit) break
  }
  return found
}

function countIn({ prepared }: EmbeddedDatabase, collection: StoredCollection, query: Count): Counted[] {
  const { sql, values } = countSql(collection, query)
  const statement = prepared(sql)
  statement.setReturnArrays(true)
  const rows = statement.all(...values, query.limit + 1) as unknown as [number, ...(string | number | null)[]][]
  const groups = rows.map(([count, ...key]) => ({ key, count }))
  return sorted(groups, query)
}

interface InsertResult {
  /** The ids that existed before. */
  present: Set<string>
  /** Why a document can't be stored, by its id. */
  refused: Map<string, string>
}

/** The time after which a transaction ends, so that the process serves others between two of them. */
const TURN_MS = 20

/**
 * Inserts the documents whose ids are new, in one transaction, until it has taken its time. Returns how many of them it has looked at,
 * which is at least one.
 */
function insertInto(
  { prepared, transaction, isOutage }: EmbeddedDatabase,
  collection: StoredCollection,
  documents: Document[],
  { present, refused }: InsertResult,
): number {
  const statement = prepared(
    `INSERT INTO ${tableOf(collection)} (id, at, body) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  )
  const now = Date.now()
  const end = performance.now() + TURN_MS
  return transaction(() => {
    let count = 0
    for (const document of documents) {
      count++
      try {
        const at = countsFrom(document, collection, now)
        const { changes } = statement.run(document._id, at, JSON.stringify(document))
        if (changes === 0) present.add(document._id)
      } catch (error) {
        if (isOutage(error)) throw error
        refused.set(document._id, (error as Error).message)
      }
      if (performance.now() > end) break
    }
    return count
  })
}
