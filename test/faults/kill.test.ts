import { spawnSync } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'
import { expectStored, startLoad, stored } from '../load.ts'
import { discard, eventually, type Mill, startMill } from '../mill.ts'

let mill: Mill

afterEach(async () => {
  await mill.kill()
  discard(mill)
})

const allStored = (acknowledged: Set<string>) =>
  eventually(
    async () => {
      const counts = await stored(mill)
      for (const title of acknowledged) if (!counts.has(title)) throw new Error(`${title} is not stored yet`)
      return counts
    },
    { within: 20_000 },
  )

test('kill -9 at any moment loses no acknowledged command, and duplicates none', async () => {
  mill = await startMill({ pair: 'embedded' })
  const load = startLoad(() => mill)
  for (let round = 1; round <= 4; round++) {
    const before = load.responses.acknowledged.size
    await eventually(async () => expect(load.responses.acknowledged.size).toBeGreaterThan(before + 50 * round))
    await mill.kill()
    mill = await startMill({ pair: 'embedded', dir: mill.dir })
  }
  await load.stop()
  expectStored(load.responses, await allStored(load.responses.acknowledged))
  expect(load.responses.acknowledged.size).toBeGreaterThan(500)
})

test('Ctrl-C under load drains, ends with 0, and loses nothing', async () => {
  mill = await startMill({ pair: 'embedded' })
  const load = startLoad(() => mill)
  await eventually(async () => expect(load.responses.acknowledged.size).toBeGreaterThan(200))
  const started = Date.now()
  expect(await mill.stop()).toBe(0)
  expect(Date.now() - started).toBeLessThan(5000)
  await load.stop()
  mill = await startMill({ pair: 'embedded', dir: mill.dir })
  expectStored(load.responses, await allStored(load.responses.acknowledged))
})

test('a second start on the same files names the process that holds them, and does no harm', async () => {
  mill = await startMill({ pair: 'embedded' })
  const second = spawnSync(process.execPath, ['main/dev.ts'], {
    env: { ...process.env, MILLRACE_DIR: mill.dir, PORT: '0', LOG: 'embedded', STORE: 'embedded' },
    encoding: 'utf8',
  })
  expect(second.status).toBe(1)
  expect(second.stderr).toMatch(/is in use by process \d+, started 20/)
  expect((await fetch(`${mill.query}/health/deep`)).status).toBe(200)
})
