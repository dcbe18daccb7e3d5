import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'

/** What the servers need is put here once, and shared by all sets of servers. */
const TOOLS = resolve('.millrace/tools')
const KAFKA = join(TOOLS, 'kafka-4.1.1')
const SECANTUS = join(TOOLS, 'secantus-0.7.0b3')
const KEYCLOAK = join(TOOLS, 'keycloak-26.0.8')
const GRPC = join(TOOLS, 'grpc-1.85.1')
const FASTIFY = join(TOOLS, 'fastify-5.12.8')
const FASTIFY_PACKAGES = ['fastify@5.12.8']
const RESTATE = join(TOOLS, 'restate-1.7.12')
const RESTATE_PACKAGES = ['@restatedev/restate-server@1.7.12', '@restatedev/restate-sdk@1.17.2']
const GRPC_PACKAGES = ['grpcio', 'grpcio-tools', 'grpcio-health-checking', 'grpcio-reflection']

const works = (command: string, args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0

export const hasMongod = (): boolean => works('mongod', ['--version'])

/** Why three brokers of our own can't be had on this machine, or nothing. */
export function kafkaLacks(): string | undefined {
  if (!works('java', ['-version'])) return 'no Java'
  if (!existsSync(KAFKA) && !works('mvn', ['--version'])) return 'no Maven'
}

/** Why a MongoDB of our own can't be had on this machine, or nothing. */
export function mongodbLacks(): string | undefined {
  if (existsSync(SECANTUS) || hasMongod() || works('python3', ['-c', 'import venv, ensurepip'])) return undefined
  return 'neither mongod nor Python 3 with venv'
}

/** The class path of Kafka, through Maven. */
export async function kafkaJars(): Promise<string> {
  await once(KAFKA, async (folder) => {
    const goal = ['-q', '-B', '-f', 'test/services/pom.xml', 'dependency:copy-dependencies']
    await run('mvn', [...goal, '-DincludeScope=runtime', `-DoutputDirectory=${folder}`])
  })
  return join(KAFKA, '*')
}

/** Why a Keycloak of our own can't be had on this machine, or nothing. */
export function keycloakLacks(): string | undefined {
  if (!works('java', ['-version'])) return 'no Java'
  if (!existsSync(KEYCLOAK) && !works('mvn', ['--version'])) return 'no Maven'
}

/** Keycloak's folder, through Maven, built for a database in memory. */
export async function keycloakHome(): Promise<string> {
  await once(KEYCLOAK, async (folder) => {
    const artifact = '-Dartifact=org.keycloak:keycloak-quarkus-dist:26.0.8:zip'
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack'
    const options = ['-q', '-B', goal, artifact, '-Dtransitive=false', '-DoutputDirectory=.']
    // There, since Maven leaves its marks where it runs.
    await run('sh', ['-c', 'cd "$0" && exec mvn "$@"', folder, ...options])
    const home = join(folder, 'keycloak-26.0.8')
    await run(join(home, 'bin', 'kc.sh'), ['build', '--db=dev-mem'])
    mkdirSync(join(home, 'data', 'import'), { recursive: true })
  })
  return join(KEYCLOAK, 'keycloak-26.0.8')
}

/** The command of a wire-compatible test server, for where there is no mongod. */
export async function secantus(): Promise<string[]> {
  await venv(SECANTUS, ['secantusdb==0.7.0b3'])
  // Through its python: the script's first line names the folder that it was made in.
  return [join(SECANTUS, 'bin', 'python3'), join(SECANTUS, 'bin', 'secantusd-py')]
}

/** A Python that has gRPC, its compiler of .proto files, and clients of the health and reflection services. */
export async function grpcTools(): Promise<string> {
  await venv(
    GRPC,
    GRPC_PACKAGES.map((name) => `${name}==1.85.1`),
  )
  return join(GRPC, 'bin', 'python3')
}

/** A folder whose `node_modules` have the server of Restate and its SDK. */
export const restateTools = (): Promise<string> => npmPackages(RESTATE, RESTATE_PACKAGES)

/** A folder whose `node_modules` have Fastify. */
export const fastifyTools = (): Promise<string> => npmPackages(FASTIFY, FASTIFY_PACKAGES)

/** Installs packages that only benchmarks need. Their scripts do not run. */
async function npmPackages(path: string, packages: string[]): Promise<string> {
  await once(path, async (folder) => {
    const options = ['--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error']
    await run('npm', ['install', '--prefix', folder, ...options, ...packages])
  })
  return path
}

const venv = (path: string, packages: string[]): Promise<void> =>
  once(path, async (folder) => {
    await run('python3', ['-m', 'venv', folder])
    await run(join(folder, 'bin', 'pip'), ['install', '-q', '--disable-pip-version-check', ...packages])
  })

/** Makes `path` with `make`, whole or not at all, also when two processes do it at once. */
export async function once(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true })
  const temporary = mkdtempSync(`${path}.`)
  try {
    await make(temporary)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    if (!existsSync(path)) throw error
  }
}

export async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  try {
    await promisify(execFile)(command, args, { env: { ...process.env, ...env } })
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause })
  }
}
