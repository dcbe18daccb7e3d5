import { spawnSync } from 'node:child_process'
import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedLog } from '#adapters/log/embedded.ts'
import { eventually, expectProblem, type Mill, send, startMill } from '../mill.ts'

const SIZE = '8m'

let mill: Mill | undefined
const cleanups: (() => void)[] = []

afterEach(async () => {
  await mill?.kill()
  mill = undefined
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

const run = (command: string, ...args: string[]) => spawnSync(command, args, { encoding: 'utf8' })

/** A small file system, or undefined if this user may not mount one. */
function mounted(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'disk-'))
  if (run('mount', '-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', dir).status === 0) return dir
  rmSync(dir, { recursive: true })
  return undefined
}

function unmount(dir: string): void {
  run('umount', dir)
  rmSync(dir, { recursive: true })
}

const filler = (dir: string): string => join(dir, 'filler')

function fill(dir: string): void {
  for (const size of [65_536, 512, 1]) {
    const chunk = Buffer.alloc(size)
    try {
      for (;;) appendFileSync(filler(dir), chunk)
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' })
    }
  }
}

const bodyOf = (title: string) => ({ title, text: 'x'.repeat(9000) })

async function expectFull({ query, publish }: Mill): Promise<void> {
  const before = (await (await fetch(`${query}/api/tutorials`)).json()) as { items: unknown[] }
  // The store still accepts what fits into the write-ahead log.
  await eventually(async () => expectProblem(await send(`${publish}/api/forum/threads`, bodyOf('No')), 503))
  for (let time = 0; time < 10; time++) {
    const answer = await send(`${publish}/api/forum/threads`, bodyOf('No'))
    expect(answer.headers.get('retry-after')).toBe('1')
    await expectProblem(answer, 503)
    expect(await (await fetch(`${query}/api/tutorials`)).json()).toEqual(before)
  }
  const deep = await fetch(`${query}/health/deep`)
  expect(deep.status).toBe(503)
  expect(await deep.json()).toEqual({ status: 'degraded', parts: { log: 'away', store: 'away' } })
  expect((await fetch(`${query}/health/ready`)).status).toBe(200)
}

const expectWell = (mill: Mill) =>
  eventually(async () => {
    const answer = await send(`${mill.publish}/api/tutorials`, { title: 'Again' }, { prefer: 'wait=5' })
    expect(answer.status).toBe(201)
    expect((await fetch(`${mill.query}/health/deep`)).status).toBe(200)
  })

const disk = mounted()
if (disk === undefined) {
  console.log('No file system can be mounted here: adapters/embedded/full.test.ts alone tests a full disk.')
} else {
  afterAll(() => unmount(disk))
  const start = () =>
    startMill({
      pair: 'embedded',
      dir: disk,
      env: { ANONYMOUS_SCOPES: 'tutorials:read tutorials:write forum:read forum:write' },
    })

  test('on a full disk writes are 503, reads continue and /health/deep says so, also after a restart, and space restores everything', async () => {
    mill = await start()
    await expectWell(mill)
    fill(disk)
    await expectFull(mill)
    rmSync(filler(disk))
    await expectWell(mill)

    fill(disk)
    await mill.kill()
    mill = await start()
    await expectFull(mill)
    expect(mill.output()).toContain(`There is no space left to write ${join(disk, 'millrace.db')}. Free some`)
    rmSync(filler(disk))
    await expectWell(mill)
  })
}

const home = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'home-'))
  cleanups.push(() => rmSync(dir, { recursive: true }))
  return dir
}

test.each([
  ['millrace.db', 'is not a SQLite database', /Restore it from a backup/],
  ['lock.db', 'is damaged. It has no data', /delete it/],
])('a start with a damaged %s ends with the name of the file and what to do', (name, says, advice) => {
  const dir = home()
  writeFileSync(join(dir, name), 'damaged '.repeat(1000))
  const { status, stderr } = spawnSync(process.execPath, ['main/dev.ts'], {
    env: { ...process.env, MILLRACE_DIR: dir, PORT: '0', GRPC_PORT: '0', LOG: 'embedded', STORE: 'embedded' },
    encoding: 'utf8',
  })
  expect(status).toBe(1)
  const lastLine = stderr.trimEnd().split('\n').at(-1)
  expect(lastLine).toContain(`${join(dir, name)} ${says}`)
  expect(lastLine).toMatch(advice)
})

test.each([
  ['its second page', 4096, 'x'.repeat(4096), 'is damaged'],
  ['the format in its header', 44, 'zzzz', 'can not be opened: unsupported file format'],
])('a start with a millrace.db damaged in %s ends with the name of the file and what to do', (_, at, bytes, says) => {
  const dir = home()
  const file = openFile(dir)
  const log = embeddedLog(file)
  void log.close()
  file.close()
  const name = join(dir, 'millrace.db')
  const damaged = openSync(name, 'r+')
  writeSync(damaged, bytes, at)
  closeSync(damaged)
  const { status, stderr } = spawnSync(process.execPath, ['main/dev.ts'], {
    env: { ...process.env, MILLRACE_DIR: dir, PORT: '0', GRPC_PORT: '0', LOG: 'embedded', STORE: 'embedded' },
    encoding: 'utf8',
  })
  expect(status).toBe(1)
  const lastLine = stderr.trimEnd().split('\n').at(-1)
  expect(lastLine).toContain(`${name} ${says}`)
  expect(lastLine).toMatch(/Restore it from a backup/)
})

test('a start in a folder that cannot be created ends with its name and the setting', () => {
  const dir = home()
  writeFileSync(join(dir, 'file'), '')
  const { status, stderr } = spawnSync(process.execPath, ['main/dev.ts'], {
    env: { ...process.env, MILLRACE_DIR: join(dir, 'file', 'home'), PORT: '0', LOG: 'embedded', STORE: 'embedded' },
    encoding: 'utf8',
  })
  expect(status).toBe(1)
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/file.home can not be used: ENOTDIR.*MILLRACE_DIR/)
})
