export const RESTORE =
  'Restore it from a backup, or move it away together with its -wal and -shm files to begin with an empty one. ' +
  'The `.recover` command of the sqlite3 tool prints what can still be read.'
const GRANT_ACCESS = 'Let this user read and write it and its folder, or set MILLRACE_DIR to another folder.'

/** The messages for SQLite's result codes of the file (not of the statement), each with the remedy. */
const MESSAGES = new Map<number, (file: string) => string>([
  [5, (file) => `${file} is locked by another program. Close that program.`],
  [6, (file) => `${file} is locked.`],
  [7, (file) => `There is no memory left to read ${file}.`],
  [8, (file) => `${file} can not be written. ${GRANT_ACCESS}`],
  [10, (file) => `Reading or writing ${file} failed. Check the disk.`],
  [11, (file) => `${file} is damaged. ${RESTORE}`],
  [13, (file) => `There is no space left to write ${file}. Free some: writing resumes by itself.`],
  [14, (file) => `${file} can not be opened. ${GRANT_ACCESS}`],
  [15, (file) => `${file} is locked by another program. Close that program.`],
  [26, (file) => `${file} is not a SQLite database: it is damaged, or another program's. ${RESTORE}`],
])

const CORRUPT = 11
const FULL = 13
const NOT_A_DATABASE = 26

const codeOf = (error: unknown): number => Number((error as { errcode?: number } | undefined)?.errcode) & 0xff

/** A description of an error of the file with the remedy; undefined for any other error. */
export const describeFileError = (file: string, error: unknown): string | undefined =>
  MESSAGES.get(codeOf(error))?.(file)

export const isDamage = (error: unknown): boolean => [CORRUPT, NOT_A_DATABASE].includes(codeOf(error))

export const isFull = (error: unknown): boolean => codeOf(error) === FULL
