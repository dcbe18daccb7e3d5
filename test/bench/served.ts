import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { freePort } from '../mill.ts'

/** What is started, beside its ports in its environment. */
export interface Command {
  args: string[]
  cwd?: string
  env?: Record<string, string>
  /** Answers 2xx once it is ready. */
  ready?: string
  /** It speaks gRPC at its `PORT`, and HTTP elsewhere. */
  isGrpc?: boolean
}

/** A server in a process of its own. */
export interface Served {
  url: string
  /** Its address for gRPC, of those that have one. */
  grpc: string
  /** From its start to the first 2xx. */
  readyMs: number
  /** Microseconds that the process has had of all processors, its threads counted in. */
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

/** As `npx functions-framework --source ... --target ...` does. */
export const framework = (source: string, target: string, env: Record<string, string> = {}, cwd = '.'): Command => ({
  args: [CLI, '--source', source, '--target', target],
  cwd,
  env,
})

export const bareHttp: Command = { args: ['test/bench/bare-http.ts'] }
export const bareGrpc: Command = { args: ['test/bench/bare-grpc.ts'] }
export const forgetful: Command = { args: ['test/bench/forgetful.ts'], ready: '/health/ready' }
export const bareFramework = framework('test/bench/bare-framework.ts', 'bare')

export async function serve({ args, cwd = '.', env = {}, ready = '/', isGrpc }: Command): Promise<Served> {
  const [port, grpcPort] = (await Promise.all([freePort(), freePort()])).map(String) as [string, string]
  const ports = isGrpc ? { PORT: grpcPort, METRICS_PORT: port } : { PORT: port, GRPC_PORT: grpcPort }
  const started = performance.now()
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env, ...ports },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  running.add(child)
  let errors = ''
  child.stderr?.on('data', (chunk) => (errors += chunk))
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = `http://127.0.0.1:${port}`
  const stop = async () => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await gone
    clearTimeout(late)
    running.delete(child)
  }
  while (!(await answers(url + ready))) {
    if (child.exitCode !== null || performance.now() - started > START_MS) {
      await stop()
      throw new Error(`${args.join(' ')} does not serve:\n${errors}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const readyMs = performance.now() - started
  return { url, grpc: `127.0.0.1:${grpcPort}`, readyMs, cpu: () => cpuOf(child.pid as number), stop }
}

/** What is left of an interrupted run. */
export const stopAll = (): void => {
  for (const child of running) child.kill('SIGKILL')
}

/** Any answer of a bare server is one; functions may answer 404 to a GET of `/`. */
const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    async (answer) => {
      await answer.arrayBuffer()
      return answer.ok || url.endsWith('/')
    },
    () => false,
  )

/** utime and stime of /proc/<pid>/stat, which follow the name in brackets. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}
