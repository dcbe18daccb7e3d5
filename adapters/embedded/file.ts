import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describeFileError, isDamage, isFull, RESTORE } from './sqlite-errors.ts'

/** The file of the embedded pair. The log and the store share its connection, and so its one writer. */
export interface EmbeddedFile {
  database: DatabaseSync
  /** A description of an error of the file with the remedy; undefined for any other error. */
  describeError(error: unknown): string | undefined
  /** Throws unless a write of some size reaches the disk. */
  probeWrite(): void
  /** The process that had the folder before and ended without closing it. Absent after a clean end. */
  diedBefore?: string
  close(): void
}

/** "MILL", in the header of every Millrace file. */
const APPLICATION_ID = 0x4d494c4c
/** Several pages, so that the last free page of the disk is not enough. */
const PROBE_BYTES = 65_536

/** The held locks. A lock without a reference would be closed, and so released, by the next garbage collection. */
const locks = new Set<DatabaseSync>()

/**
 * Opens `<dir>/millrace.db`. Every commit is on disk when it returns. Throws when another process has the file open, and names
 * that process; also when the file is unusable, with the remedy. The lock is one of the operating system, on a separate file,
 * so it ends with the process in every case.
 */
export function openFile(dir: string): EmbeddedFile {
  const file = resolve(dir, 'millrace.db')
  const { lock, diedBefore } = takeLock(dir)
  try {
    const database = openDatabase(file)
    return {
      database,
      ...(diedBefore === undefined ? {} : { diedBefore }),
      describeError: (error) => describeFileError(file, error),
      probeWrite: () => probeWrite(database),
      close() {
        database.close()
        leave(join(dir, HOLDER))
        release(lock)
      },
    }
  } catch (cause) {
    release(lock)
    throw new Error(describeFileError(file, cause) ?? openError(file, cause as Error), { cause })
  }
}

/** SQLite's own errors do not name the file. */
const openError = (file: string, { message, ...error }: Error): string =>
  'errcode' in error ? `${file} can not be opened: ${message}. ${RESTORE}` : message

function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file)
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    markAsOurs(database, file)
    assertIntact(database, file)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * Marks the file as one of Millrace. A file without the mark is accepted if it is empty or has our tables. The mark is written at
 * every start, since SQLite opens a read-only file without an error.
 */
function markAsOurs(database: DatabaseSync, file: string): void {
  const id = database.prepare('PRAGMA application_id').get()?.application_id
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  const isOurs = tables.length === 0 || tables.some(({ name }) => /^(log_topics$|doc_)/.test(String(name)))
  if (id !== APPLICATION_ID && (id !== 0 || !isOurs)) {
    throw new Error(`${file} belongs to another program. Set MILLRACE_DIR to a folder that no other program uses.`)
  }
  try {
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
  } catch (error) {
    // Reads continue while the disk is full.
    if (id !== APPLICATION_ID || !isFull(error)) throw error
  }
}

/** A file of this size is read within about a tenth of a second. */
const CHECKED_BYTES = 64 * 1024 * 1024

/** Throws for a damaged file. The reads of a large one find its damage later. */
function assertIntact(database: DatabaseSync, file: string): void {
  if (statSync(file).size > CHECKED_BYTES) return
  const found = database.prepare('PRAGMA quick_check(1)').get()?.quick_check
  if (found !== 'ok') throw new Error(`${file} is damaged. ${RESTORE}`, { cause: found })
}

/** Writes random bytes, because SQLite does not write unchanged pages. */
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

/** The file that names the process with the lock. A clean end removes it. */
const HOLDER = 'holder'

function takeLock(dir: string): { lock: DatabaseSync; diedBefore: string | undefined } {
  const holder = join(dir, HOLDER)
  const file = resolve(dir, 'lock.db')
  let lock: DatabaseSync | undefined
  try {
    mkdirSync(dir, { recursive: true })
    lock = new DatabaseSync(file, { timeout: 0 })
    lock.exec('BEGIN EXCLUSIVE')
    locks.add(lock)
    const diedBefore = readHolder(holder)
    enter(holder)
    return { lock, diedBefore }
  } catch (cause) {
    lock?.close()
    throw new Error(lockError(dir, file, holder, cause), { cause })
  }
}

function release(lock: DatabaseSync): void {
  locks.delete(lock)
  lock.close()
}

const BUSY = 5

function lockError(dir: string, file: string, holder: string, cause: unknown): string {
  const { errcode } = cause as { errcode?: number }
  if (errcode === BUSY) {
    return `${resolve(dir)} is in use by ${readHolder(holder) ?? 'another process'}. Stop it, or set MILLRACE_DIR to another folder.`
  }
  if (isDamage(cause)) {
    return `${file} is damaged. It has no data: stop every Millrace that uses ${resolve(dir)}, then delete it.`
  }
  const other = `${resolve(dir)} can not be used: ${(cause as Error).message}. Set MILLRACE_DIR to another folder.`
  return describeFileError(file, cause) ?? other
}

/** The files that name this process. A process that ends by itself removes them, one that is killed does not. */
const holders = new Set<string>()

/** Serves only messages, so a full disk is no reason not to start. */
function enter(holder: string): void {
  if (holders.size === 0) process.once('exit', leaveAll)
  holders.add(holder)
  try {
    rmSync(holder, { force: true })
    writeFileSync(holder, `process ${process.pid}, started ${new Date().toISOString()}`)
  } catch {
    // `readHolder` finds nothing then.
  }
}

function leave(holder: string): void {
  holders.delete(holder)
  if (holders.size === 0) process.off('exit', leaveAll)
  rmSync(holder, { force: true })
}

function leaveAll(): void {
  for (const holder of holders) rmSync(holder, { force: true })
}

function readHolder(holder: string): string | undefined {
  try {
    return readFileSync(holder, 'utf8') || undefined
  } catch {
    return undefined
  }
}
