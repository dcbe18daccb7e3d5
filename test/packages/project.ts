import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pack } from '../../package/pack.ts'
import { eventually, freePort } from '../mill.ts'

/** The packages of this version in a folder outside of the repository. */
export interface Packages {
  folder: string
  millrace: string
  create: string
}

export async function packed(version: string): Promise<Packages> {
  const folder = mkdtempSync(join(tmpdir(), 'packages-'))
  await pack(version, folder)
  return packagesIn(folder, version)
}

export const packagesIn = (folder: string, version: string): Packages => ({
  folder,
  millrace: join(folder, `millrace-${version}.tgz`),
  create: join(folder, `create-millrace-${version}.tgz`),
})

/** What a shell has in a folder that knows nothing of this repository. */
export const environment = (): NodeJS.ProcessEnv => {
  const others = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|NODE_(?!EXTRA_CA)|TEST$|MAKE|npm_|INIT_CWD)/.test(name),
  )
  const path = process.env.PATH?.split(':').filter((folder) => !folder.includes('node_modules')) ?? []
  // The Node of the tests is a package of this repository, and stands for the one that a user has installed.
  return { ...Object.fromEntries(others), PATH: [dirname(process.execPath), ...path].join(':') }
}

/** Runs a program and returns its output. Throws its output if it fails. */
export function run(cwd: string, program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', env: environment() })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ends with ${status}\n${stdout}${stderr}`)
  return stdout
}

/** Runs a program that fails, and returns what it says, in its order. */
export function fails(cwd: string, program: string, ...args: string[]): string {
  const both = ['-c', '"$@" 2>&1', 'sh', program, ...args]
  const { status, stdout } = spawnSync('sh', both, { cwd, encoding: 'utf8', env: environment() })
  if (status === 0) throw new Error(`${program} ${args.join(' ')} does not fail`)
  return stdout
}

export const create = ({ folder, create }: Packages, name: string): string => {
  run(folder, 'npm', 'exec', '--yes', '--prefer-offline', `--package=${create}`, '--', 'create-millrace', name)
  return join(folder, name)
}

export const install = (project: string, tarball: string): string =>
  run(project, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball)

export function write(project: string, files: { path: string; text: string }[]): void {
  for (const { path, text } of files) {
    mkdirSync(dirname(join(project, path)), { recursive: true })
    writeFileSync(join(project, path), text)
  }
}

/** The files of domains that a page shows. The first line of each is a comment with its path. */
export const filesOf = (page: string): { path: string; text: string }[] =>
  [...readFileSync(page, 'utf8').matchAll(/```ts\n\/\/ (domains\/\S+)\n([\s\S]*?)```/g)].map(
    ([, path = '', text = '']) => ({ path, text }),
  )

export interface Running {
  origin: string
  output(): string
  stop(): Promise<void>
}

/** `make dev` in a project, or a bundle of it. */
export async function start(project: string, command: string[], env: Record<string, string> = {}): Promise<Running> {
  const ports = { PORT: String(await freePort()), GRPC_PORT: String(await freePort()) }
  const [program = '', ...args] = command
  const child = spawn(program, args, { cwd: project, env: { ...environment(), ...ports, ...env }, detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const origin = `http://127.0.0.1:${ports.PORT}`
  try {
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(output)
      if (!(await fetch(`${origin}/health/ready`)).ok) throw new Error(output)
    })
  } catch (error) {
    signal(child, 'SIGKILL')
    throw error
  }
  return { origin, output: () => output, stop: () => stop(child) }
}

/** make and the program that it runs are one group. */
const signal = (child: ChildProcess, name: NodeJS.Signals) => child.pid !== undefined && process.kill(-child.pid, name)

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('close', resolve))
  signal(child, 'SIGTERM')
  await ended
}

/** The tarball's files. */
export const listed = (tarball: string): string[] =>
  execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
    .split('\n')
    .flatMap((path) => (path === '' ? [] : path.replace('package/', '')))
