import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gatewayFolder, type Ports, render, TEMPLATE } from '../gateway.ts'
import { eventually, freePort, Gone } from '../mill.ts'
import type { Model } from './model.ts'
import { forerunners, ours } from './rules.ts'

/** Services of compose.yaml as processes of this machine, by their names. */
export interface Stack {
  origin(name: string): string
  /** host:port where it speaks gRPC; what else it answers is at its origin. */
  grpc(name: string): string
  /** Stops it, and starts that of another version in its place. */
  replace(name: string, root: string): Promise<void>
  /** As `docker compose stop`: SIGTERM, in reverse order. Resolves with how each has ended. */
  stop(): Promise<Record<string, number | null>>
}

export interface StackOptions {
  names: string[]
  /** Of the brokers and the store, and the secret: they stand in for what compose.yaml says. */
  given: Record<string, string>
  database: string
  /** Whose versions of the functions are started; this one's unless said. */
  roots?: Record<string, string>
}

/**
 * Starts them with exactly the environment that compose.yaml gives them, one after the other in the order that it asks
 * for, each once those before it are healthy. Only addresses differ, for one host has them all, and the file system can't
 * be written to.
 */
export async function startStack(model: Model, { names, given, database, roots = {} }: StackOptions): Promise<Stack> {
  const dir = gatewayFolder()
  const pairs = names.map(async (name) => [name, { http: await freePort(), grpc: await freePort() }] as const)
  const ports = new Map(await Promise.all(pairs))
  const portsOf = (name: string): Ports => ports.get(name) ?? { http: 0, grpc: 0 }
  const running = new Map<string, ChildProcess>()
  const origin = (name: string) => `http://127.0.0.1:${portsOf(name).http}`
  const grpc = (name: string) => `127.0.0.1:${portsOf(name).grpc}`
  const here = (text: string) =>
    text.replaceAll(/\b([a-z-]+):8080( resolve)?/g, (whole, name) => {
      if (!ports.has(name)) return whole
      return isGrpc(name) ? grpc(name) : new URL(origin(name)).host
    })
  const isGrpc = (name: string) => model.services[name]?.environment?.FUNCTION_TARGET === 'grpc'
  const logOf = (name: string) => join(dir, `${name}.log`)

  function environment(name: string): Record<string, string> {
    const declared = Object.entries(model.services[name]?.environment ?? {})
    return Object.fromEntries(
      declared.map(([setting, value]) => [setting, given[setting] ?? (value === null ? '' : here(`${value}`))]),
    )
  }

  function gateway(name: string): string[] {
    const conf = join(dir, 'nginx.conf')
    writeFileSync(conf, render(readFileSync(TEMPLATE, 'utf8'), dir, portsOf(name), environment(name)))
    return ['nginx', '-p', dir, '-c', conf, '-g', 'daemon off;']
  }

  async function start(name: string, root = roots[name] ?? '.'): Promise<void> {
    const isOurs = ours(model).some(([own]) => own === name)
    const [command = '', ...args] = isOurs ? [process.execPath, 'main/serve.ts'] : gateway(name)
    const { http, grpc } = portsOf(name)
    const place = {
      ...(isGrpc(name) ? { PORT: `${grpc}`, METRICS_PORT: `${http}` } : { PORT: `${http}` }),
      HOST: '127.0.0.1',
      MONGODB_DATABASE: database,
      MILLRACE_DIR: '/dev/null',
    }
    const log = openSync(logOf(name), 'a')
    const env = { PATH: process.env.PATH, ...environment(name), ...place }
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', log, log] })
    closeSync(log)
    running.set(name, child)
    const isOneShot = model.services[name]?.restart === 'no'
    await eventually(
      async () => {
        if (isOneShot ? child.exitCode === 0 : await isHealthy(name, isOurs)) return
        const why = `${name} is not ready (${child.exitCode}):\n${readFileSync(logOf(name), 'utf8')}`
        throw child.exitCode === null ? new Error(why) : new Gone(why)
      },
      { within: 30_000 },
    )
  }

  const isHealthy = (name: string, isOurs: boolean): Promise<boolean> =>
    fetch(`${origin(name)}/health/${isOurs ? 'ready' : 'gateway'}`).then(
      ({ ok }) => ok,
      () => false,
    )

  async function stop(): Promise<Record<string, number | null>> {
    const codes: Record<string, number | null> = {}
    for (const [name, child] of [...running].reverse()) codes[name] = await ended(child)
    rmSync(dir, { recursive: true })
    return codes
  }

  try {
    for (const name of names.toSorted((a, b) => forerunners(model, a).size - forerunners(model, b).size))
      await start(name)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    origin,
    grpc,
    stop,
    async replace(name, root) {
      const child = running.get(name)
      if (!child || (await ended(child)) !== 0) throw new Error(`${name} did not stop as it should`)
      await start(name, root)
    },
  }
}

const STOP_MS = 30_000

/** SIGTERM, and SIGKILL for one that does not end by itself. */
function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode)
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    child.once('exit', (code) => {
      clearTimeout(late)
      resolve(code)
    })
    child.kill('SIGTERM')
  })
}
