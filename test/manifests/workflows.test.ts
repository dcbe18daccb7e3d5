import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import vitestConfig from '../../vitest.config.ts'
import { parsed } from './overlay.ts'
import { ask } from './tools.ts'

/** The same text with the major versions of actions, by which actionlint knows their inputs. */
const byMajor = (text: string) => text.replaceAll(/@[0-9a-f]{40} # (v\d+)[\d.]*/g, '@$1')

const lint = (input: string) =>
  ask('actionlint', ['-shellcheck=', '-pyflakes=', '-no-color', '-'], { input: byMajor(input) })
const workflows = globSync('.github/workflows/*.yaml')

interface Workflow {
  on: { [event: string]: unknown }
  jobs: { [name: string]: { strategy?: { matrix: { part: string[] } }; steps: { run?: string }[] } }
}

const workflow = (name: string): Workflow => {
  const [found] = parsed<Workflow>(readFileSync(`.github/workflows/${name}.yaml`, 'utf8'))
  if (!found) throw new Error(`${name}.yaml is empty`)
  return found
}
const commandsOf = (job: Workflow['jobs'][string] | undefined): string[] =>
  (job?.steps ?? []).flatMap(({ run }) => run ?? [])

test('there are workflows', () => {
  expect(workflows.length).toBeGreaterThan(3)
})

test.each(workflows)('actionlint accepts %s', (path) => {
  const { ok, output, errors } = lint(readFileSync(path, 'utf8'))
  expect(output + errors).toBe('')
  expect(ok).toBe(true)
})

test.each(workflows)('%s declares its permissions and pins the version of every action', (path) => {
  const text = readFileSync(path, 'utf8')
  expect(text).toMatch(/^permissions:\n {2}contents: (read|write)$/m)
  for (const [, action] of text.matchAll(/uses: (.+)/g))
    expect(action).toMatch(/@(v\d+|[0-9a-f]{40} # v\d+\.\d+\.\d+)$/)
})

test.each([
  ['an unknown key', 'timeout-minutes', 'timeout-minute'],
  ['an unknown runner', 'ubuntu-24.04', 'ubuntu-42.04'],
  ['an unknown input of an action', 'node-version', 'node-versions'],
])('actionlint finds %s', (_, right, wrong) => {
  const text = readFileSync('.github/workflows/kind.yaml', 'utf8')
  expect(text).toContain(right)
  expect(lint(text.replaceAll(right, wrong)).ok).toBe(false)
})

test('ci has a job for each part of the tests, so that a failure names its part', () => {
  const { jobs } = workflow('ci')
  const projects = vitestConfig.test?.projects ?? []
  const names = projects.map((project) => (project as { test: { name: string } }).test.name)
  expect(names.length).toBeGreaterThan(10)
  expect(commandsOf(jobs.check)).toContain('make check')
  const checked = ['rules', 'manifests']
  expect([...checked, ...(jobs.test?.strategy?.matrix.part ?? [])].sort()).toEqual(names.sort())
  expect(commandsOf(jobs.test)).toContain('npm test -- "$PART"')
})

test('known vulnerabilities of shipped packages fail a job, for every change and once a day', () => {
  const { on, jobs } = workflow('audit')
  expect(Object.keys(on)).toEqual(expect.arrayContaining(['push', 'pull_request', 'schedule']))
  expect(commandsOf(jobs.packages)).toEqual(['npm audit --omit=dev --audit-level=high'])
})
