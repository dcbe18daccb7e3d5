import type { StatementSync } from 'node:sqlite'
import type { EmbeddedFile } from '../embedded/file.ts'
import { Unavailable } from '../unavailable.ts'
import type { StoredCollection } from './store.ts'

/** SQLite's BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB: the file, not what was asked of it. */
const OUTAGES = new Set([5, 6, 7, 8, 10, 11, 13, 14, 15, 26])

export interface EmbeddedDatabase {
  exec(sql: string): void
  /** A statement is prepared once. */
  prepared(sql: string): StatementSync
  /** All of `work` or nothing, on disk when it returns. */
  transaction<Result>(work: () => Result): Result
  /** An outage as `Unavailable`, anything else as it is. */
  answered<Result>(work: () => Result): Result
  isOutage(error: unknown): boolean
  isClosed(): boolean
  /** From here on it is an outage. The file stays open: it is the log's as well. */
  close(): void
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

export const tableName = (collection: string): string => `doc_${collection}`

export const tableOf = ({ name }: StoredCollection): string => quoted(tableName(name))

/** The store's part of the embedded file. */
export function embeddedDatabase({ database }: EmbeddedFile): EmbeddedDatabase {
  const statements = new Map<string, StatementSync>()
  let closed = false

  const isOutage = (error: unknown): boolean =>
    !database.isOpen || OUTAGES.has(Number((error as { errcode?: number }).errcode) & 0xff)

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

    answered(work) {
      try {
        if (closed) throw new Unavailable('store', 'the embedded file is closed')
        return work()
      } catch (cause) {
        if (cause instanceof Unavailable || !isOutage(cause)) throw cause
        throw new Unavailable('store', 'the embedded file can not be read or written', { cause })
      }
    },

    isOutage,
    isClosed: () => closed,
    close() {
      closed = true
    },
  }
}
