import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFile } from './file.ts'

let dir: string
let holder: ChildProcess | undefined

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'file-'))
})

afterEach(() => {
  holder?.kill('SIGKILL')
  holder = undefined
  rmSync(dir, { recursive: true })
})

const HOLDER = `
  import { openFile } from '#adapters/embedded/file.ts'
  const { database } = openFile(process.argv[1])
  database.exec('CREATE TABLE IF NOT EXISTS notes (text TEXT); INSERT INTO notes VALUES (1)')
  gc()
  process.stdout.write('open')
  setInterval(() => {}, 1000)
`

/** Another process that has the file open. */
async function givenHolder(): Promise<ChildProcess> {
  holder = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', HOLDER, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (holder.stdout) await once(holder.stdout, 'data')
  return holder
}

test('given another process that has the file open, then opening fails at once and names the process', async () => {
  const { pid } = await givenHolder()
  const before = Date.now()
  expect(() => openFile(dir)).toThrow(
    new RegExp(`is in use by process ${pid}, started \\d{4}-\\d\\d-\\d\\dT.*MILLRACE_DIR`),
  )
  expect(Date.now() - before).toBeLessThan(1000)
})

test('given a holder that dies by kill -9, then the file is free and has its commits', async () => {
  const other = await givenHolder()
  other.kill('SIGKILL')
  await once(other, 'close')
  const file = openFile(dir)
  expect(file.database.prepare('SELECT count(*) AS count FROM notes').get()).toEqual({ count: 1 })
  expect(file.diedBefore).toMatch(`process ${other.pid}, started 2`)
  file.close()
  const next = openFile(dir)
  expect(next.diedBefore).toBeUndefined()
  next.close()
})

test('given a file with garbage in its middle, then opening it fails, and names it and what to do', () => {
  const { database, close } = openFile(dir)
  database.exec('CREATE TABLE notes (text TEXT); CREATE INDEX byText ON notes (text)')
  for (let row = 0; row < 500; row++) database.exec('INSERT INTO notes VALUES (hex(randomblob(100)))')
  close()
  const path = join(dir, 'millrace.db')
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0xa5, 3 * 4096, 9 * 4096))
  expect(() => openFile(dir)).toThrow(`${path} is damaged. Restore it from a backup`)
})

test('given a second opening by the same process, then it fails, and succeeds once the first is closed', () => {
  const file = openFile(dir)
  expect(() => openFile(dir)).toThrow(`in use by process ${process.pid}`)
  file.close()
  openFile(dir).close()
})

test('given a commit, then it is flushed to disk before it returns', () => {
  const file = openFile(dir)
  expect(file.database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  expect(file.database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 })
  file.close()
})

/** A file with some pages of data, closed. */
function givenData(): string {
  const { database, close } = openFile(dir)
  database.exec('CREATE TABLE notes (text TEXT)')
  database.exec(
    "INSERT INTO notes SELECT hex(randomblob(500)) FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]')",
  )
  close()
  return join(dir, 'millrace.db')
}

/** The message of the error that opening throws. */
function refusal(): string {
  let message = ''
  expect(() => openFile(dir)).toThrow(
    expect.toSatisfy((error: Error) => {
      message = error.message
      return true
    }),
  )
  return message
}

const garbage = (file: string) => writeFileSync(file, 'x'.repeat(8192))
const cut = (file: string) => truncateSync(file, 4096 + 100)

test.each([
  ['garbage', garbage, 'is not a SQLite database'],
  ['a part of what it had', cut, 'is damaged'],
])(
  'given a database file that has %s, then the error has its name and the remedy, and the file is unchanged',
  (_, damage, says) => {
    const file = givenData()
    damage(file)
    const before = readFileSync(file)
    const message = refusal()
    expect(message).toContain(`${file} ${says}`)
    expect(message).toMatch(/Restore it from a backup.*-wal and -shm.*\.recover/s)
    expect(readFileSync(file).equals(before)).toBe(true)
    for (const name of readdirSync(dir).filter((name) => name.startsWith('millrace.db'))) rmSync(join(dir, name))
    openFile(dir).close()
  },
)

test.each([
  ['garbage', (file: string) => garbage(file)],
  ['a few bytes', (file: string) => writeFileSync(file, 'short')],
])(
  'given a lock file that has %s, then the error says that it is damaged and may be deleted, and names no process',
  (_, damage) => {
    givenData()
    const lock = join(dir, 'lock.db')
    damage(lock)
    const message = refusal()
    expect(message).toContain(`${lock} is damaged. It has no data`)
    expect(message).not.toContain('in use by')
    rmSync(lock)
    openFile(dir).close()
  },
)

test("given another program's database, then the error says so, and the file is unchanged", () => {
  const file = join(dir, 'millrace.db')
  const other = new DatabaseSync(file)
  other.exec('CREATE TABLE bookmarks (url TEXT)')
  other.close()
  expect(refusal()).toMatch(/millrace\.db belongs to another program.*MILLRACE_DIR/s)
  const again = new DatabaseSync(file)
  expect(again.prepare('PRAGMA application_id').get()).toEqual({ application_id: 0 })
  again.close()
})

test('given a file of a version that did not mark its files, then it opens', () => {
  const old = new DatabaseSync(join(dir, 'millrace.db'))
  old.exec('CREATE TABLE log_topics (name TEXT); CREATE TABLE other (name TEXT)')
  old.close()
  openFile(dir).close()
})

/** As a user without rights: root may do everything. */
function unprivileged<Result>(work: () => Result): Result {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) {
    for (const name of ['.', ...readdirSync(dir)]) {
      const { mode } = statSync(join(dir, name))
      chownSync(join(dir, name), 65534, 65534)
      chmodSync(join(dir, name), mode)
    }
    process.seteuid?.(65534)
  }
  try {
    return work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

test.each([
  ['a file that can only be read', (file: string) => chmodSync(file, 0o400)],
  ['a file that can not be read', (file: string) => chmodSync(file, 0o000)],
  ['a folder that can only be read', () => chmodSync(dir, 0o500)],
])('given %s, then the error has its name and the remedy', (_, forbid) => {
  const file = givenData()
  forbid(file)
  try {
    const message = unprivileged(refusal)
    expect(message).toMatch(/millrace\.db|lock\.db/)
    expect(message).toContain(dir)
    expect(message).toMatch(/Let this user read and write it and its folder, or set MILLRACE_DIR/)
  } finally {
    chmodSync(dir, 0o700)
  }
})

test('given a path where no folder can be made, then the error names the path and the setting', () => {
  writeFileSync(join(dir, 'file'), '')
  expect(() => openFile(join(dir, 'file', 'home'))).toThrow(/file.home can not be used: ENOTDIR.*MILLRACE_DIR/)
  mkdirSync(join(dir, 'empty', 'millrace.db'), { recursive: true })
  expect(() => openFile(join(dir, 'empty'))).toThrow(/empty.millrace\.db can not be opened.*MILLRACE_DIR/s)
  expect(existsSync(join(dir, 'empty', 'lock.db'))).toBe(true)
})

test('given an opening that failed, then no lock remains', () => {
  const file = givenData()
  garbage(file)
  refusal()
  rmSync(file)
  openFile(dir).close()
})
