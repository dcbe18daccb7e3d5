import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from './config.ts'
import { closeAll, onClose, openLog, openStore } from './log-and-store.ts'

test('a process has one log and one store, on one file, and closes everything even after an error', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-'))
  const config = readConfig({ MILLRACE_DIR: dir })
  const [log, store] = await Promise.all([openLog(config), openStore(config)])
  expect(await openLog(config)).toBe(log)
  expect(await openStore(config)).toBe(store)
  await Promise.all([log.ping(), store.ping()])

  const closed: string[] = []
  onClose(async () => {
    await log.ping()
    closed.push('before the log')
    throw new Error('the first failed')
  })
  onClose(async () => void closed.push('the second'))
  await expect(closeAll()).rejects.toThrow('the first failed')
  expect(closed).toEqual(['before the log', 'the second'])
  await expect(store.ping()).rejects.toThrow()
  rmSync(dir, { recursive: true })
})
