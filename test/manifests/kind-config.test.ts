import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ask } from './tools.ts'

/** kind decodes the file before it looks for Docker, which it must not find: no cluster is made here. */
function decode(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-'))
  const file = join(dir, 'kind.yaml')
  writeFileSync(file, text)
  const env = { PATH: dir, HOME: dir, KIND_EXPERIMENTAL_PROVIDER: 'docker' }
  const { ok, errors } = ask('kind', ['create', 'cluster', '--config', file], { env })
  rmSync(dir, { recursive: true })
  expect(ok).toBe(false)
  return errors
}

const config = readFileSync('kind-config.yaml', 'utf8')

test('kind takes its configuration', () => {
  expect(decode(config)).toMatch(/failed to get docker info|"docker": executable file not found/)
})

test.each([
  ['a field that is not known', 'hostPort:', 'hostport:', /field hostport not found/],
  ['a version that is not known', 'v1alpha4', 'v1alpha9', /unknown apiVersion/],
])('%s is refused', (_, right, wrong, reason) => {
  expect(decode(config.replaceAll(right, wrong))).toMatch(reason)
})
