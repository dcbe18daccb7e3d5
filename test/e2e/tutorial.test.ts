import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { copyRepository } from '../copy.ts'
import { discard, eventually, type Mill, startMill } from '../mill.ts'
import { runIn } from '../new-domains.ts'
import { changed, stepsOf } from '../page-steps.ts'
import { isVariable, openTerminal } from '../shown-commands.ts'

/** Does what docs/tutorial.md says, step by step: writes its files, changes them, waits until make dev has reloaded them, and types its commands. */

const DOMAIN = 'domains/orders/domain.ts'
const PAGE = 'docs/tutorial.md'
const steps = stepsOf(PAGE)
const page = readFileSync(PAGE, 'utf8')
const complete = readFileSync('testing/page/orders/domain.ts', 'utf8')

/** The commands that the mill of this test stands for, and those that need a cluster. */
const NOT_TYPED = [
  'make dev',
  'make services',
  'make dev LOG=kafka STORE=mongodb',
  'make deploy',
  'kubectl --context kind-millrace -n millrace get kafkasources,ksvc',
]

/** The limit of the steps, which start a mill seven times. On a busy machine they take two minutes with Kafka. */
const LIMIT_MS = 5 * 60_000

let root: string
let mill: Mill
let terminal: ReturnType<typeof openTerminal>
/** The domain after each step, when its commands are typed. */
const stages: string[] = []
const skipped: string[] = []
/** The length of what make dev had printed when a file was written last. */
let written = 0

const options = { pair: inject('pair'), env: { OIDC_ISSUER: '' } }

beforeAll(async () => {
  root = copyRepository()
  mill = await startMill({ ...options, root })
  terminal = openTerminal(mill, { cwd: root })
})

afterAll(async () => {
  terminal?.close()
  await mill?.stop()
  if (mill) discard(mill)
  if (root) rmSync(root, { recursive: true, force: true })
})

function write(path: string, text: string): void {
  written = mill.output().length
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

/** Waits until make dev runs what was written last. */
async function reloaded(): Promise<void> {
  await eventually(async () => expect(mill.output().slice(written)).toContain('domains reloaded'), { within: 30_000 })
  await warmUp()
}

/** Orders of another person until they are applied: the first sends of a busy machine to new topics may get a 503. */
async function warmUp(): Promise<void> {
  const token = '-H "authorization: Bearer $(make -s token USER=moderator)"'
  const order = `-H "$JSON" -H "$WAIT" -d '{"product":"pot"}'`
  const command = `curl -s --retry 9 localhost:8080/api/orders ${token} ${order}`
  for (const _ of Array(3)) await terminal.enter({ command, prints: ['{"id":"'] })
}

test(
  'the steps lead from an empty folder to a domain on Kafka, a bug found and redriven, and a KafkaSource',
  async () => {
    let domain = ''
    for (const step of steps) {
      if ('commands' in step) {
        if (domain !== (stages.at(-1) ?? '')) await reloaded()
        if (domain !== '') stages.push(domain)
        for (const shown of step.commands) {
          if (NOT_TYPED.includes(shown.command)) skipped.push(shown.command)
          else await terminal.enter(shown)
        }
      } else {
        const { path, text } = 'path' in step ? step : { path: DOMAIN, text: changed(domain, step.change) }
        if (path === DOMAIN) domain = text
        write(path, text)
      }
    }
    expect(skipped).toEqual(NOT_TYPED)
  },
  LIMIT_MS,
)

test('the log of make dev has the line of the bug that the page shows', () => {
  const [, place = 'no place'] = /at (domains\/orders\/domain\.ts:\d+:\d+ orders\.paid)/.exec(page) ?? []
  expect(mill.output()).toContain(place)
})

test('every command that is typed shows what it prints', () => {
  const typed = steps.flatMap((step) => ('commands' in step ? step.commands : []))
  const shown = typed.filter((each) => !isVariable(each) && !NOT_TYPED.includes(each.command))
  expect(shown.length).toBeGreaterThan(18)
  expect(shown.filter(({ prints }) => prints.length === 0)).toEqual([])
})

test('the domain compiles after each step, and is the one that the unit tests run', () => {
  const paths = [...new Set(stages)].map((text, at) => {
    write(`stage-${at}.ts`, text)
    return `stage-${at}.ts`
  })
  writeFileSync(join(root, 'tsconfig.stages.json'), JSON.stringify({ extends: './tsconfig.json', include: paths }))
  const { status, output } = runIn(root, 'node_modules/.bin/tsc', ['-p', 'tsconfig.stages.json'])
  expect(status, output).toBe(0)
  expect(stages.at(-1)).toBe(`// ${DOMAIN}\n${complete}`)
})
