import type { StatementSync } from 'node:sqlite'
import type { Document, Json } from '#domains/domain.ts'
import type { EmbeddedFile } from '../embedded/file.ts'
import { Unavailable } from '../unavailable.ts'
import { type Find, fieldsOf, type Inserted, ResumeLost, type Store, type StoredCollection, scalar } from './store.ts'

const WATCH_PAGE = 500
const SWEEP_MS = 60_000

/** The store in the embedded file: a table for each collection, an index on its JSON for each declared index. */
export function embeddedStore(file: EmbeddedFile): Store {
  const { database } = file
  const expiring = new Map<string, StoredCollection>()
  const statements = new Map<string, StatementSync>()
  const wakers = new Set<() => void>()
  let closed = false

  const sweeper = setInterval(sweep, SWEEP_MS).unref()

  function prepared(sql: string): StatementSync {
    const statement = statements.get(sql) ?? database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }

  function tableOf({ name }: StoredCollection): string {
    if (closed) throw new Unavailable('store', 'the embedded file is closed')
    return quoted(`doc_${name}`)
  }

  /** All of `work` or nothing, on disk when it returns. */
  function transaction<Result>(work: () => Result): Result {
    try {
      database.exec('BEGIN IMMEDIATE')
      const result = work()
      database.exec('COMMIT')
      return result
    } catch (cause) {
      if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
      throw new Unavailable('store', 'the embedded file can not be written', { cause })
    }
  }

  function sweep(): void {
    if (closed) return
    for (const collection of expiring.values()) {
      const { expireAfter = 0 } = collection
      prepared(`DELETE FROM ${tableOf(collection)} WHERE at < ?`).run(Date.now() - expireAfter * 1000)
    }
  }

  return {
    async prepare(wanted) {
      for (const collection of wanted) {
        const table = tableOf(collection)
        database.exec(`CREATE TABLE IF NOT EXISTS ${table} (
          row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, body TEXT NOT NULL)`)
        for (const [name, { fields }] of Object.entries(collection.indexes)) {
          const columns = [...fields.map(column), 'id'].join(', ')
          database.exec(
            `CREATE INDEX IF NOT EXISTS ${quoted(`doc_${collection.name}_${name}`)} ON ${table} (${columns})`,
          )
        }
        if (collection.expireAfter !== undefined) {
          expiring.set(collection.name, collection)
          database.exec(`CREATE INDEX IF NOT EXISTS ${quoted(`doc_${collection.name} at`)} ON ${table} (at)`)
        }
      }
      sweep()
    },

    async insert(collection, documents) {
      const table = tableOf(collection)
      const present = new Set<string>()
      if (documents.length === 0) return present
      const insert = prepared(`INSERT INTO ${table} (id, at, body) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`)
      const now = Date.now()
      transaction(() => {
        for (const document of documents) {
          const { changes } = insert.run(document._id, now, JSON.stringify(document))
          if (changes === 0) present.add(document._id)
        }
      })
      if (present.size < documents.length) for (const wake of wakers) wake()
      return present
    },

    async get(collection, ids) {
      const select = prepared(`SELECT body FROM ${tableOf(collection)} WHERE id IN (SELECT value FROM json_each(?))`)
      const documents = (select.all(JSON.stringify(ids)) as { body: string }[]).map(
        ({ body }) => JSON.parse(body) as Document,
      )
      return new Map(documents.map((document) => [document._id, document]))
    },

    async find(collection, query) {
      const table = tableOf(collection)
      const fields = fieldsOf(collection, query.index)
      const found: Document[] = []
      for (const range of rangesOf(fields, query)) {
        const { sql, values } = findSql(table, fields, query, range)
        const rows = prepared(sql).all(...values, query.limit - found.length) as { body: string }[]
        for (const { body } of rows) found.push(JSON.parse(body))
        if (found.length >= query.limit) break
      }
      return found
    },

    async increment(collection, ids) {
      const upsert =
        prepared(`INSERT INTO ${tableOf(collection)} (id, at, body) VALUES (?, ?, json_object('_id', ?, 'count', 1))
        ON CONFLICT (id) DO UPDATE SET at = excluded.at, body = json_set(body, '$.count', json_extract(body, '$.count') + 1)
        RETURNING json_extract(body, '$.count') AS count`)
      const now = Date.now()
      return transaction(() => new Map(ids.map((id) => [id, Number(upsert.get(id, now, id)?.count)])))
    },

    async remove(collection, ids) {
      const remove = prepared(`DELETE FROM ${tableOf(collection)} WHERE id IN (SELECT value FROM json_each(?))`)
      transaction(() => remove.run(JSON.stringify(ids)))
    },

    watch: (collection, options) => watching(collection, options),

    async ping() {
      if (closed) throw new Unavailable('store', 'the embedded file is closed')
    },

    async close() {
      closed = true
      clearInterval(sweeper)
      for (const wake of wakers) wake()
    },
  }

  async function* watching(
    collection: StoredCollection,
    { resume, signal }: { resume?: string; signal: AbortSignal },
  ): AsyncGenerator<Inserted> {
    const table = tableOf(collection)
    const newest = () => Number(prepared(`SELECT coalesce(max(row), 0) AS row FROM ${table}`).get()?.row)
    let last = resume === undefined ? newest() : Number(resume)
    if ((resume !== undefined && !/^\d+$/.test(resume)) || last > newest())
      throw new ResumeLost(`store: ${resume} is no place in ${collection.name}`)
    const select = prepared(`SELECT row, body FROM ${table} WHERE row > ? ORDER BY row LIMIT ${WATCH_PAGE}`)
    let wake = () => {}
    const waker = () => wake()
    wakers.add(waker)
    signal.addEventListener('abort', waker)
    try {
      while (!signal.aborted && !closed) {
        const woken = new Promise<void>((resolve) => (wake = resolve))
        const rows = select.all(last) as { row: number; body: string }[]
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

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const column = (field: string): string => `json_extract(body, '$.${field}')`

type Bindable = string | number | null

interface Condition {
  sql: string
  /** How many of the index's first columns it fixes. */
  fixed: number
  values: Bindable[]
}

/**
 * What lies behind the last document, as ranges of the index in its order. One comparison of rows would be shorter, but
 * SQL finds nothing behind a null.
 */
function rangesOf(fields: string[], { after, where = {}, newestFirst }: Find): Condition[] {
  if (!after) return [{ sql: 'TRUE', fixed: 0, values: [] }]
  const keys = [
    ...fields.map((field) => [column(field), bindable(after[field] ?? null)] as const),
    ['id', after._id] as const,
  ]
  const ranges: Condition[] = []
  for (const [at, [by, value]] of [...keys.entries()].reverse()) {
    if (fields[at] !== undefined && fields[at] in where) continue
    const before = keys.slice(0, at)
    const add = (condition: string, values: Bindable[] = [], fixed = at) =>
      ranges.push({
        sql: [...before.map(([by]) => `${by} IS ?`), condition].join(' AND '),
        fixed,
        values: [...before.map(([, value]) => value), ...values],
      })
    if (value === null) {
      if (!newestFirst) add(`${by} IS NOT NULL`)
    } else if (newestFirst) {
      add(`${by} < ?`, [value])
      if (by !== 'id') add(`${by} IS NULL`, [], at + 1)
    } else add(`${by} > ?`, [value])
  }
  return ranges
}

/**
 * A keyset page: equality on a prefix of the index, and a range of it; the limit is the last value. It is ordered by the
 * columns that are not fixed, since SQLite sorts by itself when it is told of the others too.
 */
function findSql(table: string, fields: string[], { where = {}, newestFirst }: Find, range: Condition) {
  const equal = Object.entries(where)
  const conditions = [...equal.map(([field]) => `${column(field)} IS ?`), range.sql].join(' AND ')
  const free = fields.slice(Math.max(equal.length, range.fixed))
  const order = [...free.map(column), 'id'].map((by) => `${by} ${newestFirst ? 'DESC' : 'ASC'}`).join(', ')
  return {
    sql: `SELECT body FROM ${table} WHERE ${conditions} ORDER BY ${order} LIMIT ?`,
    values: [...equal.map(([, value]) => bindable(value)), ...range.values],
  }
}

function bindable(value: Json): Bindable {
  const bound = scalar(value)
  return typeof bound === 'boolean' ? Number(bound) : bound
}
