import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** What the servers need is put here once, and shared by all sets of servers. */
const TOOLS = resolve('.millrace/tools')

export const has = (command: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Why the real servers can't be had on this machine, or nothing. */
export function missing(): string | undefined {
  const lacks = [
    ...(process.env.KAFKA_BROKERS ? [] : ['java', 'mvn'].filter((tool) => !has(tool))),
    ...(process.env.MONGODB_URI || has('mongod') || has('python3') ? [] : ['mongod or python3']),
  ]
  return lacks.length > 0 ? `${lacks.join(', ')} not found` : undefined
}

/** Makes `path` with `make`, whole or not at all, also when two processes do it at once. */
function once(path: string, make: (temporary: string) => void): string {
  if (existsSync(path)) return path
  mkdirSync(dirname(path), { recursive: true })
  const temporary = mkdtempSync(`${path}.`)
  make(temporary)
  try {
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    if (!existsSync(path)) throw error
  }
  return path
}

/** The folder with Kafka's jars, through Maven. */
export const kafkaJars = (): string =>
  once(join(TOOLS, 'kafka-4.1.1'), (folder) => {
    const goal = ['-q', '-B', '-f', 'test/services/pom.xml', 'dependency:copy-dependencies']
    run('mvn', [...goal, '-DincludeScope=runtime', `-DoutputDirectory=${folder}`])
  })

/** The wire-compatible test server, where there is no mongod. A virtual environment can't be moved, so it is made in place. */
export function secantus(): string {
  const folder = join(TOOLS, 'secantus-0.7.0b3')
  const command = join(folder, 'bin', 'secantusd-py')
  if (existsSync(join(folder, 'complete'))) return command
  rmSync(folder, { recursive: true, force: true })
  run('python3', ['-m', 'venv', folder])
  run(join(folder, 'bin', 'pip'), ['install', '-q', '--disable-pip-version-check', 'secantusdb==0.7.0b3'])
  mkdirSync(join(folder, 'complete'))
  return command
}

function run(command: string, args: string[]): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause })
  }
}
