import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { openFile } from '#adapters/embedded/file.ts'
import { logContract, readAll } from '#test/contracts/log.ts'
import { embeddedLog } from './embedded.ts'

const makeDir = () => mkdtempSync(join(tmpdir(), 'log-'))

logContract('embedded', async () => {
  const dir = makeDir()
  return {
    open(options) {
      const file = openFile(dir)
      const log = embeddedLog(file, options)
      let isClosed = false
      return {
        ...log,
        async close() {
          if (isClosed) return
          isClosed = true
          await log.close()
          file.close()
        },
      }
    },
    remove: async () => rmSync(dir, { recursive: true }),
  }
})

/** Appends for ever, and prints the offset of each record once it is acknowledged. */
const WRITER = `
  import { openFile } from '#adapters/embedded/file.ts'
  import { embeddedLog } from '#adapters/log/embedded.ts'
  const log = embeddedLog(openFile(process.argv[1]))
  await log.ensure([{ name: 'topic', partitions: 1 }])
  const writer = async () => {
    for (;;) {
      const value = Math.random().toString(36)
      const { offset } = await log.append('topic', { key: 'k', value })
      process.stdout.write(offset + ' ' + value + '\\n')
    }
  }
  await Promise.all(Array.from({ length: 16 }, writer))
`

test('given a writer that dies by kill -9, then every acknowledged record is there, and no transaction is partial', async () => {
  const dir = makeDir()
  const acknowledged = new Map<number, string>()
  for (let round = 1; round <= 3; round++) {
    const writer = spawn(process.execPath, ['--input-type=module', '-e', WRITER, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const gone = new Promise((resolve) => writer.once('close', resolve))
    let lines = 0
    for await (const line of createInterface(writer.stdout)) {
      const [offset, value = ''] = line.split(' ')
      expect(acknowledged.has(Number(offset)), `offset ${offset} twice`).toBe(false)
      acknowledged.set(Number(offset), value)
      if (++lines === 200) writer.kill('SIGKILL')
    }
    await gone
    expect(lines).toBeGreaterThanOrEqual(200)
  }
  const file = openFile(dir)
  const log = embeddedLog(file)
  const found = await readAll(log, 'topic')
  expect(found.map(({ offset }) => offset)).toEqual([...found.keys()])
  for (const [offset, value] of acknowledged) expect(String(found[offset]?.value)).toBe(value)
  await log.close()
  file.close()
  rmSync(dir, { recursive: true })
})

test('given a file that can not be written, then appends are refused as an outage, and succeed again afterwards', async () => {
  const dir = makeDir()
  const file = openFile(dir)
  const log = embeddedLog(file)
  await log.ensure([{ name: 'topic', partitions: 1 }])
  file.database.exec('PRAGMA query_only = ON')
  const refused = { name: 'Unavailable', mayBeWritten: false }
  await expect(log.append('topic', { key: 'k', value: 'no' })).rejects.toMatchObject(refused)
  file.database.exec('PRAGMA query_only = OFF')
  expect(await log.append('topic', { key: 'k', value: 'yes' })).toEqual({ partition: 0, offset: 0 })
  await log.close()
  file.close()
  rmSync(dir, { recursive: true })
})
