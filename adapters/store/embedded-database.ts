import type { StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import {
  type Inserted,
  ResumeLost,
  type Store,
  type StoredCollection,
  type WatchOptions,
  type Write,
} from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { EmbeddedFile } from '../embedded/file.ts'

export interface EmbeddedDatabase {
  exec(sql: string): void
  /** The prepared statement, from a cache. */
  prepared(sql: string): StatementSync
  /** Does all of `work` or nothing. It is on disk when this returns. */
  transaction<Result>(work: () => Result): Result
  /** An outage becomes `Unavailable`; any other error is thrown unchanged. */
  orUnavailable<Result>(work: () => Result): Result
  isOutage(error: unknown): boolean
  /** Throws unless a write reaches the disk. */
  probeWrite(): void
  isClosed(): boolean
  /** Every later call is an outage. The file stays open, because the log uses it too. */
  close(): void
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

export const tableName = (collection: string): string => `doc_${collection}`

export const tableOf = ({ name }: StoredCollection): string => quoted(tableName(name))

/** The table with the last row that expired in each collection. */
export const EXPIRED_ROWS = 'expired_rows'

/** The embedded file as the store uses it. */
export function embeddedDatabase({ database, describeError, probeWrite }: EmbeddedFile): EmbeddedDatabase {
  const statements = new Map<string, StatementSync>()
  let closed = false

  const isOutage = (error: unknown): boolean => !database.isOpen || describeError(error) !== undefined

  return {
    exec: (sql) => database.exec(sql),

    prepared(sql) {
      const statement = statements.get(sql) ?? database.prepare(sql)
      statements.set(sql, statement)
      return statement
    },

    transaction(work) {
      try {
        database.exec('BEGIN IMMEDIATE')
        const result = work()
        database.exec('COMMIT')
        return result
      } catch (error) {
        if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    },

    orUnavailable(work) {
      try {
        if (closed) throw new Unavailable('store', 'the embedded file is closed')
        return work()
      } catch (cause) {
        if (cause instanceof Unavailable || !isOutage(cause)) throw cause
        throw new Unavailable('store', describeError(cause) ?? 'the embedded file is closed', { cause })
      }
    },

    isOutage,
    probeWrite,
    isClosed: () => closed,
    close() {
      closed = true
    },
  }
}

/** The rows of one read. The event loop runs between two reads, so that a watcher far behind does not block the process. */
const WATCH_PAGE = 200

export interface Watchers extends Pick<Store, 'watch' | 'watchIds'> {
  /** Tells watchers of writes that are on disk, or that the store is closed. */
  wake(writes: Write[]): void
}

/** The watchers of the store, which wait for the next insert. */
export function watchersOf(database: EmbeddedDatabase): Watchers {
  const { prepared, orUnavailable, isClosed } = database
  const wakers = new Set<() => void>()
  const ids = idWatchersOf(database)

  /** The last row number that was ever used. Removed and expired documents do not change it. */
  function lastRow({ name }: StoredCollection): number {
    const row = prepared('SELECT seq FROM sqlite_sequence WHERE name = ?').get(tableName(name))
    return Number(row?.seq ?? 0)
  }

  const lastExpired = ({ name }: StoredCollection): number =>
    Number(prepared(`SELECT row FROM ${EXPIRED_ROWS} WHERE collection = ?`).get(name)?.row ?? 0)

  /**
   * The resume token is the row number. It is lost when a later row has expired, or when the collection was made again and has fewer rows.
   */
  async function* watching(
    collection: StoredCollection,
    { resume, signal, untilNow, onBegun }: WatchOptions,
  ): AsyncGenerator<Inserted> {
    const newest = orUnavailable(() => lastRow(collection))
    let last = resume === undefined ? newest : Number(resume)
    if ((resume !== undefined && !/^\d+$/.test(resume)) || last > newest)
      throw new ResumeLost(`store: ${resume} is not a resume token of ${collection.name}`)
    onBegun?.(String(last))
    const behind = `SELECT row, body FROM ${tableOf(collection)} WHERE row > ? ORDER BY row LIMIT ${WATCH_PAGE}`
    let wake = () => {}
    const waker = () => wake()
    wakers.add(waker)
    signal.addEventListener('abort', waker)
    try {
      while (!signal.aborted && !isClosed()) {
        const woken = new Promise<void>((resolve) => (wake = resolve))
        await setImmediate()
        if (signal.aborted || isClosed()) return
        const rows = orUnavailable(() => prepared(behind).all(last)) as { row: number; body: string }[]
        if (orUnavailable(() => lastExpired(collection)) > last)
          throw new ResumeLost(`store: inserts of ${collection.name} after ${last} have expired`)
        for (const { row, body } of rows) {
          yield { document: JSON.parse(body), resume: String(row) }
          last = row
          if (signal.aborted) return
        }
        if (rows.length > 0 || signal.aborted) continue
        if (untilNow) return
        await woken
      }
    } finally {
      wakers.delete(waker)
      signal.removeEventListener('abort', waker)
    }
  }

  return {
    wake(writes) {
      for (const wake of wakers) wake()
      ids.tell(writes)
    },
    watch: (collection, options) => watching(collection, options),
    watchIds: ids.watching,
  }
}

/** The watchers of ids. They get them from the commit itself, since one process at a time has the embedded file. */
function idWatchersOf({ exec, orUnavailable, isClosed }: EmbeddedDatabase) {
  const watchers = new Set<{ names: Set<string>; ids: string[]; wake(): void }>()

  async function* watching(collections: StoredCollection[]): AsyncGenerator<string[]> {
    const watcher = { names: new Set(collections.map(({ name }) => name)), ids: [] as string[], wake: () => {} }
    orUnavailable(() => exec('SELECT 1'))
    watchers.add(watcher)
    try {
      while (!isClosed()) {
        const woken = new Promise<void>((resolve) => (watcher.wake = resolve))
        yield watcher.ids.splice(0)
        if (watcher.ids.length === 0 && !isClosed()) await woken
      }
    } finally {
      watchers.delete(watcher)
    }
  }

  function tell(writes: Write[]): void {
    for (const { names, ids, wake } of watchers) {
      for (const { collection, insert = [], put = [], swap = [], own = [] } of writes) {
        if (!names.has(collection.name)) continue
        for (const documents of [insert, put, swap, own]) for (const { _id } of documents) ids.push(_id)
      }
      if (ids.length > 0 || isClosed()) wake()
    }
  }

  return { watching, tell }
}
