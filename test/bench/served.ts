import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { freePort } from '../mill.ts'

/** A server to start. Its ports are added to its environment. */
export interface Command {
  args: string[]
  cwd?: string
  env?: Record<string, string>
  /** The path that is 2xx once the server is ready. */
  ready?: string
  /** True when the server speaks gRPC at its `PORT`, and HTTP at another port. */
  isGrpc?: boolean
}

/** A server in a process of its own. */
export interface Served {
  url: string
  /** The address of gRPC, if the server has one. */
  grpc: string
  /** The milliseconds from the start to the first 2xx. */
  readyMs: number
  /** The CPU time of the process with all threads, in microseconds. */
  cpu(): number
  stop(): Promise<void>
}

const CLI = resolve('node_modules/@google-cloud/functions-framework/build/src/main.js')
const START_MS = 30_000
const STOP_MS = 15_000
const TICK_US = 10_000
const running = new Set<ChildProcess>()

export const ours = (env: Record<string, string>, cwd = '.', script = 'main/serve.ts'): Command => ({
  args: [script],
  cwd,
  env,
  ready: '/health/ready',
})

/** The command that `npx functions-framework --source ... --target ...` runs. */
export const framework = (source: string, target: string, env: Record<string, string> = {}, cwd = '.'): Command => ({
  args: [CLI, '--source', source, '--target', target],
  cwd,
  env,
})

export const bareHttp: Command = { args: ['test/bench/bare-http.ts'] }
export const bareReads: Command = { args: ['test/bench/bare-reads.ts'] }
export const naiveReads: Command = { args: ['test/bench/naive-reads.mjs'] }
export const bareGrpc: Command = { args: ['test/bench/bare-grpc.ts'] }
export const discardingLog: Command = { args: ['test/bench/discarding-log.ts'], ready: '/health/ready' }
export const bareFramework = framework('test/bench/bare-framework.ts', 'bare')

export async function serve({ args, cwd = '.', env = {}, ready = '/', isGrpc }: Command): Promise<Served> {
  const [port, grpcPort] = (await Promise.all([freePort(), freePort()])).map(String) as [string, string]
  const ports = isGrpc ? { PORT: grpcPort, METRICS_PORT: port } : { PORT: port, GRPC_PORT: grpcPort }
  const url = `http://127.0.0.1:${port}`
  const started = launch([process.execPath, ...args], { cwd, env: { ...env, ...ports } })
  const readyMs = await started.ready(() => answers(url + ready))
  return { url, grpc: `127.0.0.1:${grpcPort}`, readyMs, cpu: started.cpu, stop: started.stop }
}

/** A process that this run has started. */
export interface Started extends Pick<Served, 'cpu' | 'stop'> {
  /** Resolves with the milliseconds from the start to the first look that is true. Stops the process if none is in time. */
  ready(look: () => Promise<boolean>): Promise<number>
}

export function launch([file = '', ...args]: string[], options: Pick<Command, 'cwd' | 'env'>): Started {
  const began = performance.now()
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  running.add(child)
  let errors = ''
  child.stderr?.on('data', (chunk) => (errors += chunk))
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async () => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await gone
    clearTimeout(late)
    running.delete(child)
  }
  return {
    stop,
    cpu: () => cpuOf(child.pid as number),
    async ready(look) {
      while (!(await look())) {
        if (child.exitCode !== null || performance.now() - began > START_MS) {
          await stop()
          throw new Error(`${args.join(' ')} does not serve:\n${errors}`)
        }
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      return performance.now() - began
    },
  }
}

/** Kills what an interrupted run has left. */
export const stopAll = (): void => {
  for (const child of running) child.kill('SIGKILL')
}

/** A bare server is ready with any response, since functions may answer 404 to a GET of `/`. */
const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    async (answer) => {
      await answer.arrayBuffer()
      return answer.ok || url.endsWith('/')
    },
    () => false,
  )

/** The fields utime and stime of /proc/<pid>/stat, which follow the name in brackets. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}
