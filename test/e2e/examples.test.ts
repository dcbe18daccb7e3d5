import { execFile, spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { copyWith } from '../copy.ts'
import { discard, eventually, type Mill, startMill } from '../mill.ts'

const run = promisify(execFile)

/** The examples: their folders, and the names that their copies have under domains/. */
const examples = readdirSync('examples', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({ folder: `examples/${name}`, name: name.replace(/^\d-/, '') }))

const files = examples.flatMap(({ folder, name }) =>
  readdirSync(folder).map((file) => ({
    path: `domains/${name}/${file}`,
    text: readFileSync(`${folder}/${file}`, 'utf8'),
  })),
)

/** A command of a README. Each comment after it is a part of its output. */
interface Shown {
  command: string
  prints: string[]
}

/** The lines of a README's shell blocks: how to install it, the variables, and the commands. */
function read(folder: string) {
  const readme = readFileSync(`${folder}/README.md`, 'utf8')
  const [install = '', ...blocks] = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block)
  const lines = blocks.flatMap((block) => block.trimEnd().split('\n'))
  const shown: Shown[] = []
  for (const line of lines) {
    if (line.startsWith('# ')) shown.at(-1)?.prints.push(line.slice(2))
    else if (!isVariable(line)) shown.push({ command: line, prints: [] })
  }
  return { readme, install, variables: lines.filter(isVariable), shown }
}

const isVariable = (line: string) => /^[A-Z]+=/.test(line)

let root: string
let mill: Mill

beforeAll(async () => {
  root = copyWith(files)
  // A domain of an author may have the name or the routes of an example.
  for (const entry of readdirSync(join(root, 'domains'), { withFileTypes: true })) {
    const isOther = entry.isDirectory() && examples.every(({ name }) => name !== entry.name)
    if (isOther) rmSync(join(root, 'domains', entry.name), { recursive: true })
  }
  mill = await startMill({ pair: inject('pair'), root, env: { OIDC_ISSUER: '' } })
}, 60_000)

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
  rmSync(root, { recursive: true, force: true })
})

/** The line with the addresses of this mill instead of the usual ports. */
const withAddresses = (line: string) =>
  line.replaceAll('localhost:8080', new URL(mill.publish).host).replaceAll('localhost:50051', mill.grpc)

/** The environment in which a README's commands run, with its variables. */
async function environment(folder: string, name: string, variables: string[]): Promise<NodeJS.ProcessEnv> {
  const env = { ...process.env, SITE: mill.publish, PROTO: `${folder}/${name}.proto` }
  // The packages are installed, and must not be installed again.
  const make = 'make() { command make -o node_modules/.package-lock.json "$@"; }'
  const { stdout } = await run('bash', ['-ec', [make, 'set -a', ...variables, 'env -0'].join('\n')], { env })
  return Object.fromEntries(stdout.split('\0').map((entry) => entry.split(/=([\s\S]*)/, 2)))
}

const GRPCURL = 'grpcurl() { node test/grpcurl.ts "$@"; }'

async function expectPrints({ command, prints }: Shown, env: NodeJS.ProcessEnv): Promise<void> {
  const { stdout } = await run('bash', ['-c', `${GRPCURL}\n${withAddresses(command)}`], { env })
  for (const part of prints) expect(stdout, command).toContain(part)
}

/** Starts a command that runs until it is stopped, and waits until it has printed the expected parts. */
async function startAndExpect({ command, prints }: Shown, env: NodeJS.ProcessEnv) {
  const child = spawn('bash', ['-c', `exec ${withAddresses(command).replace(/ &$/, '')}`], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  await eventually(async () => {
    for (const part of prints) expect(output, command).toContain(part)
  })
  return child
}

describe.each(examples)('$folder', ({ folder, name }) => {
  const { readme, install, variables, shown } = read(folder)

  test('has a README of at most 30 lines that says how to copy it', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(30)
    expect(install).toBe(`cp -r ${folder} domains/${name}\nmake dev\n`)
    expect(shown.length).toBeGreaterThan(2)
    expect(shown.filter(({ prints }) => prints.length === 0)).toEqual([])
  })

  test('its commands print what its README says, as a copy in domains/', async () => {
    const env = await environment(folder, name, variables)
    const started: ReturnType<typeof spawn>[] = []
    try {
      for (const each of shown) {
        if (each.command.endsWith(' &')) started.push(await startAndExpect(each, env))
        else await expectPrints(each, env)
      }
    } finally {
      for (const child of started) child.kill()
    }
  })
})
