import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { eventually, type Mill } from './mill.ts'

const run = promisify(execFile)

/** A command of a page. Each comment after it is a part of its output. */
export interface Shown {
  command: string
  prints: string[]
}

/** The commands of shell blocks, and the variables that they use. */
export interface Session {
  variables: string[]
  shown: Shown[]
}

/** The text of each shell block of a page. */
export const shellBlocks = (page: string): string[] =>
  [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block)

export function readSession(blocks: string[]): Session {
  const lines = blocks.flatMap((block) => block.trimEnd().split('\n'))
  const shown: Shown[] = []
  for (const line of lines) {
    if (line.startsWith('# ')) shown.at(-1)?.prints.push(line.slice(2))
    else if (!isVariable(line)) shown.push({ command: line, prints: [] })
  }
  return { variables: lines.filter(isVariable), shown }
}

const isVariable = (line: string) => /^[A-Z]+=/.test(line)

/** Sets the variables, runs the commands with the addresses of the mill, and compares what they print. */
export async function expectPrints({ variables, shown }: Session, mill: Mill, env: { [name: string]: string } = {}) {
  const withAddresses = (line: string) =>
    line.replaceAll('localhost:8080', new URL(mill.publish).host).replaceAll('localhost:50051', mill.grpc)
  const environment = await withVariables(variables.map(withAddresses), { ...process.env, ...env, SITE: mill.publish })
  const started: ChildProcess[] = []
  try {
    for (const { command, prints } of shown) {
      const line = withAddresses(command)
      if (line.endsWith(' &')) started.push(await startAndExpect({ command: line, prints }, environment))
      else await runAndExpect({ command: line, prints }, environment)
    }
  } finally {
    for (const child of started) child.kill()
  }
}

/** The environment with the variables of a page. */
async function withVariables(variables: string[], env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  // The packages are installed, and must not be installed again.
  const make = 'make() { command make -o node_modules/.package-lock.json "$@"; }'
  const { stdout } = await run('bash', ['-ec', [make, 'set -a', ...variables, 'env -0'].join('\n')], { env })
  return Object.fromEntries(stdout.split('\0').map((entry) => entry.split(/=([\s\S]*)/, 2)))
}

const GRPCURL = 'grpcurl() { node test/grpcurl.ts "$@"; }'

async function runAndExpect({ command, prints }: Shown, env: NodeJS.ProcessEnv): Promise<void> {
  const { stdout } = await run('bash', ['-c', `${GRPCURL}\n${command}`], { env })
  for (const part of prints) expect(stdout, command).toContain(part)
}

/** Starts a command that runs until it is stopped, and waits until it has printed the expected parts. */
async function startAndExpect({ command, prints }: Shown, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn('bash', ['-c', `exec ${command.replace(/ &$/, '')}`], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  const look = async () => {
    for (const part of prints) expect(output, command).toContain(part)
  }
  await eventually(look).catch((error) => {
    child.kill()
    throw error
  })
  return child
}
