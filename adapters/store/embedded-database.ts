import type { StatementSync } from 'node:sqlite'
import type { StoredCollection } from '#core/store.ts'
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
