import { execFile, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** Every program under deploy/ and generate/ that a person or a workflow calls. */
const workflows = readdirSync('.github/workflows').map((file) => join('.github/workflows', file))
const callers = ['Makefile', 'package.json', ...workflows].map((path) => readFileSync(path, 'utf8')).join('\n')
const programs = [
  ...new Set([...callers.matchAll(/node ((?:deploy|generate)\/[\w/-]+\.ts)/g)].map(([, path = '']) => path)),
]

/** Nothing is set that a person would have to know before, and nothing answers. */
const run = (...args: string[]) =>
  spawnSync(process.execPath, args, { encoding: 'utf8', env: { PATH: process.env.PATH, SITE: 'http://127.0.0.1:1' } })

test('there are programs', () => {
  expect(programs).toEqual(
    expect.arrayContaining(['deploy/send-log-events.ts', 'deploy/token.ts', 'deploy/import/cli.ts']),
  )
})

test.each(programs)(
  '%s says how it is used, and does nothing else',
  (program) => {
    for (const option of ['--help', '-h']) {
      const { status, stdout, stderr } = run(program, option)
      expect([status, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(/\b(make|npm run|node) \S/)
    }
  },
  30_000,
)

test('an unknown option prints the known options', () => {
  const { status, stderr } = run('deploy/send-log-events.ts', '--rat', '5')
  expect(status).toBe(2)
  expect(stderr).toContain("'--rat'")
  expect(stderr).toContain('--rate 10')
  expect(stderr).not.toContain('at parseArgs')
})

test('events that need a token end at once, with the option to set', async () => {
  const server = createServer((_, answer) => answer.writeHead(401).end())
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const told = await new Promise<{ code: unknown; stderr: string }>((resolve) =>
    execFile(process.execPath, ['deploy/send-log-events.ts', '--url', url], (error, _, stderr) =>
      resolve({ code: error?.code, stderr }),
    ),
  )
  server.close()
  expect(told).toEqual({
    code: 1,
    stderr: expect.stringContaining(`--token $(make -s token USER=collector SITE=${url})`),
  })
})

test('an argument after -- is not an option', () => {
  const { status, stderr } = run('deploy/letters/cli.ts', '--', 'discard', '-h')
  expect([status, stderr]).toEqual([2, expect.stringContaining('discard takes an id and a REASON')])
})
