import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const LINE = /^Millrace needs Node 24 or later, and this is Node 20\.1\.0\. .*$/
/** Nothing is installed, however old the packages are. */
const QUIETLY = ['--silent', '--old-file=node_modules/.installed']
const folder = mkdtempSync(join(tmpdir(), 'millrace-node-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A `node` that is this one, but says that it is 20.1.0. */
const node = join(folder, 'node')
const pretend = join(folder, 'pretend.mjs')
writeFileSync(
  pretend,
  `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })\n`,
)
writeFileSync(node, `#!/bin/sh\nexec '${process.execPath}' --import '${pretend}' "$@"\n`)
chmodSync(node, 0o755)
const path = `PATH=${folder}:${process.env.PATH}`

test.each([
  ['make', [...QUIETLY, 'test', path]],
  ['make', [...QUIETLY, 'dev', path]],
  ['make', [...QUIETLY, 'check', path]],
  [node, ['main/dev.ts']],
  [node, ['main/serve.ts']],
  [node, ['node_modules/vitest/vitest.mjs', 'run', '--project', 'rules']],
])('an older Node stops %s %s with one line', (command, args) => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  const [line, ...rest] = stderr.trimEnd().split('\n')
  expect(line).toMatch(LINE)
  expect(rest.filter((text) => !/^make(\[\d+\])?: \*{3}/.test(text))).toEqual([])
  expect(stdout).toBe('')
  expect(status).toBeGreaterThan(0)
})

test('this Node is not stopped', () => {
  expect(spawnSync(process.execPath, ['main/node-version.mjs'], { encoding: 'utf8' })).toMatchObject({
    status: 0,
    stdout: '',
    stderr: '',
  })
})
