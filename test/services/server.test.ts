import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Server, server } from './server.ts'

let dir: string
let started: Server | undefined

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'server-'))
})

afterEach(async () => {
  await started?.kill()
  rmSync(dir, { recursive: true })
})

/** A server that is ready after so many looks at it. */
function shell(script: string, readyAfter: number, limits: { quietMs?: number; withinMs?: number }): Server {
  let looks = 0
  started = server({
    name: 'It',
    command: ['sh', '-c', script],
    logFile: join(dir, 'log'),
    ready: () => (++looks > readyAfter ? Promise.resolve() : Promise.reject(new Error('not yet'))),
    onStart: () => undefined,
    ...limits,
  })
  return started
}

const TALKS = 'while true; do echo starting; sleep 0.1; done'

test('given a server that starts slowly and writes its log, then the start waits', {
  timeout: 60_000,
}, async () => {
  await shell(TALKS, 60, { quietMs: 3000 }).start()
})

test('given a server that runs and writes nothing, then the error says so', { timeout: 60_000 }, async () => {
  const start = shell('echo begun; sleep 100', 1000, { quietMs: 500 }).start()
  await expect(start).rejects.toThrow(/^It wrote nothing for 0.5 s while it started:\nbegun/)
})

test('given a server that writes its log and is never ready, then the error says so', {
  timeout: 60_000,
}, async () => {
  const start = shell(TALKS, 1000, { quietMs: 60_000, withinMs: 1000 }).start()
  await expect(start).rejects.toThrow(/^It was not ready within 1 s while it started:\nstarting/)
})

test('given a server that ends, then the error says so at once', { timeout: 60_000 }, async () => {
  await expect(shell('echo no; exit 1', 1000, {}).start()).rejects.toThrow(/^It ended while it started:\nno/)
})
