import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { eventually, type Mill } from './mill.ts'

const run = promisify(execFile)

/** A command of a page. Each comment after it is a part of its output, or of that of a command in the background. */
export interface Shown {
  command: string
  prints: string[]
}

/** The text of each shell block of a page. */
export const shellBlocks = (page: string): string[] =>
  [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block)

export function readCommands(block: string): Shown[] {
  const shown: Shown[] = []
  for (const line of block.trimEnd().split('\n')) {
    if (line.startsWith('# ')) shown.at(-1)?.prints.push(line.slice(2))
    else shown.push({ command: line, prints: [] })
  }
  return shown
}

export const isVariable = ({ command }: Shown) => /^(export )?[A-Z]+=/.test(command)

export interface TerminalOptions {
  /** The folder that commands run in. */
  cwd?: string
  env?: { [name: string]: string }
}

/** Runs commands of a page one after another, like a person at one terminal: variables and commands in the background stay. */
export function openTerminal(mill: Mill, { cwd = '.', env = {} }: TerminalOptions = {}) {
  const options = { cwd, env: { ...withoutVitest(process.env), ...env, SITE: mill.publish } }
  /** Assignments with their values, since a shell exports none by itself. */
  let variables = ''
  const started: ChildProcess[] = []
  let background = ''
  const withAddresses = (line: string) =>
    line.replaceAll('localhost:8080', new URL(mill.publish).host).replaceAll('localhost:50051', mill.grpc)

  async function enter({ command, prints }: Shown): Promise<void> {
    const line = withAddresses(command)
    let output = ''
    if (isVariable({ command, prints })) variables += await assignment(line)
    else if (line.endsWith(' &')) start(`exec ${line.replace(/ &$/, '')}`)
    else output = (await run('bash', ['-c', FUNCTIONS + variables + line], options)).stdout
    await eventually(async () => {
      for (const part of prints) expect(output + background, command).toContain(part)
    })
  }

  /** The assignment of a line, with the value that its commands print now. */
  async function assignment(line: string): Promise<string> {
    const [, exported = '', name = ''] = /^(export )?(\w+)=/.exec(line) ?? []
    const script = `${FUNCTIONS}${variables}${line}\nprintf '%s' "\${${name}@Q}"`
    const { stdout } = await run('bash', ['-ec', script], options)
    return `${exported}${name}=${stdout}\n`
  }

  function start(line: string): void {
    const child = spawn('bash', ['-c', variables + line], { ...options, stdio: ['ignore', 'pipe', 'ignore'] })
    child.stdout.on('data', (chunk) => (background += chunk))
    started.push(child)
  }

  return {
    enter,
    close(): void {
      for (const child of started) child.kill()
    },
  }
}

/** Runs all commands of these blocks, and compares what they print. */
export async function expectPrints(shown: Shown[], mill: Mill, options?: TerminalOptions): Promise<void> {
  const terminal = openTerminal(mill, options)
  try {
    for (const each of shown) await terminal.enter(each)
  } finally {
    terminal.close()
  }
}

/** The packages are installed, and must not be installed again. */
const FUNCTIONS = `
make() { command make -o node_modules/.installed "$@"; }
grpcurl() { node test/grpcurl.ts "$@"; }
`

/** A page may run vitest itself. */
const withoutVitest = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !/^(VITEST|NODE_ENV|TEST$|MAKE|LOG_LEVEL)/.test(name)))
