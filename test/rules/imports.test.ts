import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { productCode } from './rules.ts'

/** Scripts and what functions-framework loads: running is what they are for. */
const ENTRIES = /^(main\/(dev|serve|source)|functions\/[^/]+\/index)\.ts$/

test('an import has no effects: with a wrong setting every module loads, writes nothing and keeps no process alive', {
  timeout: 60_000,
}, () => {
  const modules = productCode().flatMap(({ path }) => (ENTRIES.test(path) ? [] : [`./${path}`]))
  expect(modules.length).toBeGreaterThan(150)
  const script = `await Promise.all(${JSON.stringify(modules)}.map((path) => import(path)))`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, KAFKA_BROKERS: 'no port', LOG_LEVEL: 'loud' },
    encoding: 'utf8',
    timeout: 30_000,
  })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
})
