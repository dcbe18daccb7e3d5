import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The one file of the embedded pair: log and store share its connection, and so its one writer. */
export interface EmbeddedFile {
  database: DatabaseSync
  close(): void
}

/**
 * Opens `<dir>/millrace.db`; every commit is on disk when it returns. Throws when another process has it open, and says
 * which. The lock is the operating system's, on a file of its own, so it ends with the process, however that dies.
 */
export function openFile(dir: string): EmbeddedFile {
  mkdirSync(dir, { recursive: true })
  const lock = takeLock(dir)
  const database = new DatabaseSync(join(dir, 'millrace.db'))
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
  return {
    database,
    close() {
      database.close()
      lock.close()
    },
  }
}

function takeLock(dir: string): DatabaseSync {
  const holder = join(dir, 'holder')
  const lock = new DatabaseSync(join(dir, 'lock.db'), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new Error(
      `${resolve(dir)} is in use by ${whoHolds(holder)}. Stop it, or set MILLRACE_DIR to another folder.`,
      {
        cause,
      },
    )
  }
  writeFileSync(holder, `process ${process.pid}, started ${new Date().toISOString()}`)
  return lock
}

function whoHolds(holder: string): string {
  try {
    return readFileSync(holder, 'utf8')
  } catch {
    return 'another process'
  }
}
