import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { trustedIssuer } from './auth/tokens.ts'
import { SECRET } from './trust.ts'

/** A whole Millrace in processes of its own. */
export interface Mill {
  publish: string
  persist: string
  query: string
  /** The address of gRPC; the framework has none. */
  grpc: string
  /** The address of the process that serves gRPC, for its metrics. */
  grpcMetrics: string
  dir: string
  ports: number[]
  /** Everything that it has printed. */
  output(): string
  /** Stops it as Ctrl-C does. Resolves with the exit code. */
  stop(): Promise<number | null>
  /** Stops it as kill -9 does. */
  kill(): Promise<void>
}

/** The way of serving: on our host in one process, on the bare functions-framework, or a process for each bundle. */
export type Serving = 'host' | 'framework' | 'bundles'

const SCRIPTS = { host: 'main/dev.ts', framework: 'test/framework.ts', bundles: 'test/bundles.ts' }

export interface MillOptions {
  pair: 'embedded' | 'real'
  serving?: Serving
  /** The folder of a previous mill; a new one by default. */
  dir?: string
  /** Those of a previous mill, whose database and issuer it then has; free ones by default. */
  ports?: number[]
  root?: string
  env?: Record<string, string>
}

export async function startMill({
  pair,
  serving = 'host',
  root = '.',
  env = {},
  ...given
}: MillOptions): Promise<Mill> {
  const home = given.dir ?? mkdtempSync(join(tmpdir(), 'millrace-'))
  const ports = given.ports ?? (await freePorts(5))
  const [port = 0, persistPort = 0, queryPort = 0, grpcPort = 0, metricsPort = 0] = ports
  const script = SCRIPTS[serving]
  const child = spawn(process.execPath, [script], {
    cwd: root,
    env: {
      ...process.env,
      LOG: pair === 'real' ? 'kafka' : 'embedded',
      STORE: pair === 'real' ? 'mongodb' : 'embedded',
      MONGODB_DATABASE: `test_${process.pid}_${port}`,
      MILLRACE_DIR: home,
      HOST: '127.0.0.1',
      PORT: String(port),
      GRPC_PORT: String(grpcPort),
      METRICS_PORT: String(metricsPort),
      PERSIST_PORT: String(persistPort),
      QUERY_PORT: String(queryPort),
      RECEIPT_SECRET: SECRET,
      OIDC_ISSUER: (await trustedIssuer()).url,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const url = (at: number) => `http://127.0.0.1:${at}`
  const mill: Mill =
    serving === 'host'
      ? {
          ...control(child),
          publish: url(port),
          persist: `${url(port)}/persist`,
          query: url(port),
          grpc: `127.0.0.1:${grpcPort}`,
          grpcMetrics: url(port),
          dir: home,
          ports,
          output: () => output,
        }
      : {
          ...control(child),
          publish: url(port),
          persist: url(persistPort),
          query: url(queryPort),
          grpc: `127.0.0.1:${grpcPort}`,
          grpcMetrics: url(metricsPort),
          dir: home,
          ports,
          output: () => output,
        }
  await ready(mill, child, serving)
  return mill
}

function control(child: ChildProcess) {
  const end = (signal: NodeJS.Signals) =>
    new Promise<number | null>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode)
      child.once('exit', (code) => resolve(code))
      child.kill(signal)
    })
  return { stop: () => end('SIGINT'), kill: () => end('SIGKILL').then(() => undefined) }
}

async function ready(mill: Mill, child: ChildProcess, serving: Serving): Promise<void> {
  const path = serving === 'framework' ? '/api/tutorials' : '/health/ready'
  await eventually(
    async () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Gone(`it ended with ${child.exitCode ?? child.signalCode}:\n${mill.output()}`)
      for (const url of [
        mill.query + path,
        ...(serving === 'bundles' ? [mill.publish + path, mill.grpcMetrics + path] : []),
      ]) {
        const answer = await fetch(url)
        if (answer.status !== 200) throw new Error(`not ready: ${answer.status}`)
      }
    },
    { within: 30_000 },
  ).catch(async (error) => {
    await mill.kill()
    throw new Error(`no mill: ${error.message}\n${mill.output()}`, { cause: error })
  })
}

/** An error that a retry cannot resolve. */
export class Gone extends Error {}

export const discard = (mill: Mill): void => rmSync(mill.dir, { recursive: true, force: true })

const freePorts = (count: number): Promise<number[]> => Promise.all(Array.from({ length: count }, freePort))

const PORTS = { first: 20_000, count: 7000, workers: 4 }
const share = PORTS.count / PORTS.workers
const firstOfWorker = PORTS.first + (Number(process.env.VITEST_POOL_ID ?? 0) % PORTS.workers) * share
const handedOut = new Set<number>()

/**
 * A port that nobody listens on, from below the range that the system gives out. Workers have ports of their own and no port is handed
 * out twice, because a test may listen on it some time later.
 */
export async function freePort(): Promise<number> {
  const port = firstOfWorker + Math.floor(Math.random() * share)
  if (handedOut.has(port)) return await freePort()
  handedOut.add(port)
  const isFree = await new Promise<boolean>((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
  return isFree ? port : await freePort()
}

/** Repeats `look` until it does not throw, for at most `within` milliseconds. */
export async function eventually<Result>(
  look: () => Promise<Result>,
  { within = 10_000, every = 20 } = {},
): Promise<Result> {
  const deadline = Date.now() + within
  for (;;) {
    try {
      return await look()
    } catch (error) {
      if (error instanceof Gone || Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, every))
    }
  }
}

export const send = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<globalThis.Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

export async function expectProblem(answer: globalThis.Response, status: number): Promise<Record<string, unknown>> {
  const text = await answer.text()
  expect(answer.status, text).toBe(status)
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
  expect(text).not.toMatch(/\bat .*\.(ts|js):\d+/)
  return JSON.parse(text)
}

declare module 'vitest' {
  interface ProvidedContext {
    pair: 'embedded' | 'real'
    servings: Serving[]
    /** The issuer that the mill trusts, with its settings; without a URL the issuer of make dev. */
    issuer: { url?: string; env: Record<string, string> }
  }
}
