import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describeFileError, isDamage, isFull, RESTORE } from './sqlite-errors.ts'

/** The one file of the embedded pair: log and store share its connection, and so its one writer. */
export interface EmbeddedFile {
  database: DatabaseSync
  /** What is wrong with the file and what to do about it; undefined for an error that is not about the file. */
  describeError(error: unknown): string | undefined
  /** Throws unless a write of some size reaches the disk. */
  probeWrite(): void
  close(): void
}

/** "MILL", in the header of every file of ours. */
const APPLICATION_ID = 0x4d494c4c
/** Several pages, so that the last free one of the disk is not enough. */
const PROBE_BYTES = 65_536

/** A lock that nothing refers to would be closed, and so released, with the next garbage collection. */
const locks = new Set<DatabaseSync>()

/**
 * Opens `<dir>/millrace.db`; every commit is on disk when it returns. Throws when another process has it open, and says
 * which; also when the file can't be used, and says what to do. The lock is the operating system's, on a file of its own,
 * so it ends with the process, however that dies.
 */
export function openFile(dir: string): EmbeddedFile {
  const file = resolve(dir, 'millrace.db')
  const lock = takeLock(dir)
  try {
    const database = openDatabase(file)
    return {
      database,
      describeError: (error) => describeFileError(file, error),
      probeWrite: () => probeWrite(database),
      close() {
        database.close()
        release(lock)
      },
    }
  } catch (cause) {
    release(lock)
    throw new Error(describeFileError(file, cause) ?? notOpened(file, cause as Error), { cause })
  }
}

/** An error of SQLite's own does not name the file. */
const notOpened = (file: string, { message, ...error }: Error): string =>
  'errcode' in error ? `${file} can not be opened: ${message}. ${RESTORE}` : message

function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file)
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    claim(database, file)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * Marks the file as ours. One without the mark is ours if it is empty or has our tables. The mark is written again each
 * time, since SQLite opens a file that it can only read without a word.
 */
function claim(database: DatabaseSync, file: string): void {
  const id = database.prepare('PRAGMA application_id').get()?.application_id
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  const isOurs = tables.length === 0 || tables.some(({ name }) => /^(log_topics$|doc_)/.test(String(name)))
  if (id !== APPLICATION_ID && (id !== 0 || !isOurs)) {
    throw new Error(`${file} belongs to another program. Set MILLRACE_DIR to a folder that no other program uses.`)
  }
  try {
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
  } catch (error) {
    // Reads go on while the disk is full.
    if (id !== APPLICATION_ID || !isFull(error)) throw error
  }
}

/** Other bytes each time, or SQLite would find nothing to write. */
function probeWrite(database: DatabaseSync): void {
  try {
    database.exec(`
      BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS file_probe (id INTEGER PRIMARY KEY, written BLOB NOT NULL);
      INSERT OR REPLACE INTO file_probe VALUES (1, randomblob(${PROBE_BYTES}));
      COMMIT`)
  } catch (error) {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function takeLock(dir: string): DatabaseSync {
  const holder = join(dir, 'holder')
  const file = resolve(dir, 'lock.db')
  let lock: DatabaseSync | undefined
  try {
    mkdirSync(dir, { recursive: true })
    lock = new DatabaseSync(file, { timeout: 0 })
    lock.exec('BEGIN EXCLUSIVE')
    locks.add(lock)
    sayWhoHolds(holder)
    return lock
  } catch (cause) {
    lock?.close()
    throw new Error(whyNoLock(dir, file, holder, cause), { cause })
  }
}

function release(lock: DatabaseSync): void {
  locks.delete(lock)
  lock.close()
}

const BUSY = 5

function whyNoLock(dir: string, file: string, holder: string, cause: unknown): string {
  const { errcode } = cause as { errcode?: number }
  if (errcode === BUSY) {
    return `${resolve(dir)} is in use by ${whoHolds(holder)}. Stop it, or set MILLRACE_DIR to another folder.`
  }
  if (isDamage(cause)) {
    return `${file} is damaged. It has no data: stop every Millrace that uses ${resolve(dir)}, then delete it.`
  }
  const other = `${resolve(dir)} can not be used: ${(cause as Error).message}. Set MILLRACE_DIR to another folder.`
  return describeFileError(file, cause) ?? other
}

/** Only for the message of `whyNoLock`: a full disk is no reason not to start. */
function sayWhoHolds(holder: string): void {
  try {
    rmSync(holder, { force: true })
    writeFileSync(holder, `process ${process.pid}, started ${new Date().toISOString()}`)
  } catch {
    // `whoHolds` finds nothing then.
  }
}

function whoHolds(holder: string): string {
  try {
    return readFileSync(holder, 'utf8') || 'another process'
  } catch {
    return 'another process'
  }
}
