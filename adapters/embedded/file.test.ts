import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  process.stdout.write('open')
  setInterval(() => {}, 1000)
`

/** Another process that has the file open. */
async function givenHolder(): Promise<ChildProcess> {
  holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  if (holder.stdout) await once(holder.stdout, 'data')
  return holder
}

test('given another process that has it open, then opening fails at once and names it', async () => {
  const { pid } = await givenHolder()
  const before = Date.now()
  expect(() => openFile(dir)).toThrow(
    new RegExp(`is in use by process ${pid}, started \\d{4}-\\d\\d-\\d\\dT.*MILLRACE_DIR`),
  )
  expect(Date.now() - before).toBeLessThan(1000)
})

test('given a holder that dies by kill -9, then the file is free and has what it committed', async () => {
  const other = await givenHolder()
  other.kill('SIGKILL')
  await once(other, 'close')
  const file = openFile(dir)
  expect(file.database.prepare('SELECT count(*) AS count FROM notes').get()).toEqual({ count: 1 })
  file.close()
})

test('given a second opening by the same process, then it fails too, and works once the first is closed', () => {
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
