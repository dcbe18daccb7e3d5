import type { StatementSync } from 'node:sqlite'
import type { Document } from '#domains/domain.ts'
import type { EmbeddedFile } from '../embedded/file.ts'
import { Unavailable } from '../unavailable.ts'
import { column, findSql, quoted, rangesOf } from './embedded-find.ts'
import {
  Conflict,
  type Find,
  fieldsOf,
  type Inserted,
  Refused,
  ResumeLost,
  type Store,
  type StoredCollection,
  type Write,
} from './store.ts'

const WATCH_PAGE = 500
const SWEEP_MS = 60_000

/** SQLite's BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB: the file, not what was asked of it. */
const OUTAGES = new Set([5, 6, 7, 8, 10, 11, 13, 14, 15, 26])

const tableName = (collection: string): string => `doc_${collection}`

/** The store in the embedded file: a table for each collection, an index on its JSON for each declared index. */
export function embeddedStore(file: EmbeddedFile): Store {
  const { database } = file
  const expiring = new Map<string, StoredCollection>()
  const statements = new Map<string, StatementSync>()
  const wakers = new Set<() => void>()
  let closed = false

  const sweeper = setInterval(sweepIfPossible, SWEEP_MS).unref()

  function prepared(sql: string): StatementSync {
    const statement = statements.get(sql) ?? database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }

  const tableOf = ({ name }: StoredCollection): string => quoted(tableName(name))

  /** All of `work` or nothing, on disk when it returns. */
  function transaction<Result>(work: () => Result): Result {
    try {
      database.exec('BEGIN IMMEDIATE')
      const result = work()
      database.exec('COMMIT')
      return result
    } catch (error) {
      if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  const isOutage = (error: unknown): boolean =>
    !database.isOpen || OUTAGES.has(Number((error as { errcode?: number }).errcode) & 0xff)

  /** An outage as `Unavailable`, anything else as it is. */
  function answered<Result>(work: () => Result): Result {
    try {
      if (closed) throw new Unavailable('store', 'the embedded file is closed')
      return work()
    } catch (cause) {
      if (cause instanceof Unavailable || !isOutage(cause)) throw cause
      throw new Unavailable('store', 'the embedded file can not be read or written', { cause })
    }
  }

  function wakeWatchers(): void {
    for (const wake of wakers) wake()
  }

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
    for (const [name, { fields }] of Object.entries(collection.indexes)) {
      const columns = [...fields.map(column), 'id'].join(', ')
      database.exec(`CREATE INDEX IF NOT EXISTS ${quoted(`doc_${collection.name}_${name}`)} ON ${table} (${columns})`)
    }
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
          const { changes } = statement.run(document._id, now, JSON.stringify(document))
          if (changes === 0) present.add(document._id)
        } catch (error) {
          if (isOutage(error)) throw error
          refused.set(document._id, (error as Error).message)
        }
      }
      return refused
    })
    if (present.size + refused.size < documents.length) wakeWatchers()
    if (refused.size > 0) throw new Refused(refused)
    return present
  }

  function commit(writes: Write[]): void {
    transaction(() => {
      for (const write of writes) apply(write)
    })
    wakeWatchers()
  }

  function apply({ collection, insert = [], put = [], remove = [], swap = [] }: Write): void {
    const table = tableOf(collection)
    const now = Date.now()
    const inserted = `INSERT INTO ${table} (id, at, body) VALUES (?, ?, ?) ON CONFLICT (id)`
    const once = prepared(`${inserted} DO NOTHING`)
    const replacing = prepared(`${inserted} DO UPDATE SET at = excluded.at, body = excluded.body`)
    const swapping = prepared(
      `UPDATE ${table} SET at = ?, body = ? WHERE id = ? AND json_extract(body, '$.generation') = ?`,
    )
    const removing = prepared(`DELETE FROM ${table} WHERE id = ?`)
    const must = ({ changes }: { changes: number | bigint }, id: string) => {
      if (changes === 0) throw new Conflict(`store: somebody else was first with ${id} of ${collection.name}`)
    }
    for (const document of insert) must(once.run(document._id, now, JSON.stringify(document)), document._id)
    for (const document of put) replacing.run(document._id, now, JSON.stringify(document))
    for (const id of remove) removing.run(id)
    for (const document of swap) {
      const { _id, generation } = document
      const body = JSON.stringify(document)
      must(generation === 1 ? once.run(_id, now, body) : swapping.run(now, body, _id, generation - 1), _id)
    }
  }

  function find(collection: StoredCollection, query: Find): Document[] {
    const fields = fieldsOf(collection, query.index)
    const found: Document[] = []
    for (const range of rangesOf(fields, query)) {
      const { sql, values } = findSql(tableOf(collection), fields, query, range)
      const rows = prepared(sql).all(...values, query.limit - found.length) as { body: string }[]
      for (const { body } of rows) found.push(JSON.parse(body))
      if (found.length >= query.limit) break
    }
    return found
  }

  return {
    prepare: async (wanted) =>
      answered(() => {
        for (const collection of wanted) prepare(collection)
        sweep()
      }),

    insert: async (collection, documents) => answered(() => insert(collection, documents)),

    commit: async (writes) => answered(() => commit(writes)),

    get: async (collection, ids) =>
      answered(() => {
        const select = prepared(`SELECT body FROM ${tableOf(collection)} WHERE id IN (SELECT value FROM json_each(?))`)
        const rows = select.all(JSON.stringify(ids)) as { body: string }[]
        const documents = rows.map(({ body }) => JSON.parse(body) as Document)
        return new Map(documents.map((document) => [document._id, document]))
      }),

    find: async (collection, query) => answered(() => find(collection, query)),

    increment: async (collection, ids) =>
      answered(() => {
        const upsert =
          prepared(`INSERT INTO ${tableOf(collection)} (id, at, body) VALUES (?, ?, json_object('_id', ?, 'count', 1))
          ON CONFLICT (id) DO UPDATE SET at = excluded.at, body = json_set(body, '$.count', json_extract(body, '$.count') + 1)
          RETURNING json_extract(body, '$.count') AS count`)
        const now = Date.now()
        const counts = transaction(() => new Map(ids.map((id) => [id, Number(upsert.get(id, now, id)?.count)])))
        wakeWatchers()
        return counts
      }),

    remove: async (collection, ids) =>
      answered(() => {
        const remove = prepared(`DELETE FROM ${tableOf(collection)} WHERE id IN (SELECT value FROM json_each(?))`)
        remove.run(JSON.stringify(ids))
      }),

    watch: (collection, options) => watching(collection, options),

    ping: async () => answered(() => void prepared('SELECT 1').get()),

    async close() {
      closed = true
      clearInterval(sweeper)
      wakeWatchers()
    },
  }

  /** The last that was ever given out: what is removed or has expired leaves no doubt about what follows it. */
  function lastRow({ name }: StoredCollection): number {
    const row = prepared('SELECT seq FROM sqlite_sequence WHERE name = ?').get(tableName(name))
    return Number(row?.seq ?? 0)
  }

  /** The place to resume from is the row. It is lost when the collection, made anew, has not come that far. */
  async function* watching(
    collection: StoredCollection,
    { resume, signal }: { resume?: string; signal: AbortSignal },
  ): AsyncGenerator<Inserted> {
    const newest = answered(() => lastRow(collection))
    let last = resume === undefined ? newest : Number(resume)
    if ((resume !== undefined && !/^\d+$/.test(resume)) || last > newest)
      throw new ResumeLost(`store: ${resume} is no place in ${collection.name}`)
    const behind = `SELECT row, body FROM ${tableOf(collection)} WHERE row > ? ORDER BY row LIMIT ${WATCH_PAGE}`
    let wake = () => {}
    const waker = () => wake()
    wakers.add(waker)
    signal.addEventListener('abort', waker)
    try {
      while (!signal.aborted && !closed) {
        const woken = new Promise<void>((resolve) => (wake = resolve))
        const rows = answered(() => prepared(behind).all(last)) as { row: number; body: string }[]
        for (const { row, body } of rows) {
          yield { document: JSON.parse(body), resume: String(row) }
          last = row
          if (signal.aborted) return
        }
        if (rows.length === 0 && !signal.aborted) await woken
      }
    } finally {
      wakers.delete(waker)
      signal.removeEventListener('abort', waker)
    }
  }
}
