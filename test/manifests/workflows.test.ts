import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ask } from './tools.ts'

/** actionlint knows the inputs of popular actions by their major version. */
const byMajor = (text: string) => text.replaceAll(/@[0-9a-f]{40} # (v\d+)[\d.]*/g, '@$1')

const lint = (input: string) =>
  ask('actionlint', ['-shellcheck=', '-pyflakes=', '-no-color', '-'], { input: byMajor(input) })
const workflows = globSync('.github/workflows/*.yaml')

test('there are workflows', () => {
  expect(workflows.length).toBeGreaterThan(3)
})

test.each(workflows)('%s is what GitHub Actions understand', (path) => {
  const { ok, output, errors } = lint(readFileSync(path, 'utf8'))
  expect(output + errors).toBe('')
  expect(ok).toBe(true)
})

test.each(workflows)('%s asks for no more than it says, and every action has a version', (path) => {
  const text = readFileSync(path, 'utf8')
  expect(text).toMatch(/^permissions:\n {2}contents: (read|write)$/m)
  for (const [, action] of text.matchAll(/uses: (.+)/g))
    expect(action).toMatch(/@(v\d+|[0-9a-f]{40} # v\d+\.\d+\.\d+)$/)
})

test.each([
  ['a key that is not known', 'timeout-minutes', 'timeout-minute'],
  ['a runner that is not known', 'ubuntu-24.04', 'ubuntu-42.04'],
  ['an input that an action does not have', 'node-version', 'node-versions'],
])('%s is found', (_, right, wrong) => {
  const text = readFileSync('.github/workflows/kind.yaml', 'utf8')
  expect(text).toContain(right)
  expect(lint(text.replaceAll(right, wrong)).ok).toBe(false)
})
