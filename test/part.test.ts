import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runPart } from './part.ts'

let dir: string
let printed: string

beforeEach(() => {
  mkdirSync('.millrace', { recursive: true })
  dir = mkdtempSync(resolve('.millrace', 'part-'))
  printed = ''
  vi.spyOn(console, 'error').mockImplementation((text) => (printed += text))
  vi.spyOn(console, 'log').mockImplementation(() => undefined)
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(dir, { recursive: true })
})

/** A project of its own with these tests, run as a part. */
function run(tests: string, stalledAfterMs?: number) {
  writeFileSync(join(dir, 'a.test.ts'), `import { expect, test } from 'vitest'\n${tests}`)
  const project = { test: { name: 'fixture', root: dir, include: ['*.test.ts'], testTimeout: 600_000 } }
  const config = join(dir, 'vitest.config.ts')
  writeFileSync(config, `export default { test: { projects: [${JSON.stringify(project)}] } }`)
  return runPart(
    'fixture',
    {},
    { config, output: 'ignore', stopWithinMs: 2000, ...(stalledAfterMs ? { stalledAfterMs } : {}) },
  )
}

const ENDS = `
  test('well', () => {})
  test('badly', () => expect(1).toBe(2))
  test.skip('not at all', () => {})
  test.todo('later')
`
const HANGS = `
  test('hangs', () => new Promise(() => {}))
  test('never begins', () => {})
`

test('a part that ends is counted', { timeout: 120_000 }, async () => {
  expect(await run(ENDS)).toEqual({ passed: 1, failed: 1, skipped: 2 })
  expect(printed).toBe('')
})

test('a part that hangs is stopped and counts as failed, and keeps the tests that have ended', {
  timeout: 180_000,
}, async () => {
  expect(await run(ENDS + HANGS, 20_000)).toEqual({ passed: 1, failed: 2, skipped: 2 })
  expect(printed).toMatch(/fixture was stopped: no test ended for 20 s.*It counts as failed/s)
  expect(printed).toContain('failed: a.test.ts > badly')
})

test('a part whose tests cannot be read counts as failed', { timeout: 120_000 }, async () => {
  expect(await run('throw new Error("no tests")')).toEqual({ passed: 0, failed: 1, skipped: 0 })
})
