import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, freePort, Gone } from './mill.ts'
import { SECRET } from './trust.ts'

/** A process of one target, or of `make dev`. */
export interface Run {
  /** The address of its host; prepare has none. */
  url: string
  grpc: string
  output(): string
  hasEnded(): boolean
  /** Resolves with the exit code. */
  ended: Promise<number | null>
  /** Sends SIGTERM. Resolves with the exit code. */
  stop(): Promise<number | null>
}

/** The time for a start, on a machine that may start many targets at once. */
export const START_MS = 120_000

export type Target = 'publish' | 'grpc' | 'persist' | 'query' | 'prepare' | 'source' | 'dev'

/** Starts a target. Resolves once its host responds, or at once if it has none yet. */
export async function runTarget(target: Target, env: Record<string, string>): Promise<Run> {
  const dir = mkdtempSync(join(tmpdir(), 'target-'))
  const [http, grpc] = [await freePort(), await freePort()]
  const isGrpc = target === 'grpc'
  const child = spawn(process.execPath, [target === 'dev' ? 'main/dev.ts' : 'main/serve.ts'], {
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      MILLRACE_DIR: dir,
      INSTANCE: dir,
      RECEIPT_SECRET: SECRET,
      PORT: `${isGrpc ? grpc : http}`,
      METRICS_PORT: `${http}`,
      GRPC_PORT: `${grpc}`,
      ...(target === 'dev' ? {} : { FUNCTION_TARGET: target }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const url = `http://127.0.0.1:${http}`

  async function stop(): Promise<number | null> {
    if (!hasEnded()) child.kill('SIGTERM')
    const code = await ended
    rmSync(dir, { recursive: true, force: true })
    return code
  }

  if (target !== 'prepare' && target !== 'dev') {
    await eventually(
      async () => {
        if (hasEnded()) throw new Gone(`${target} ended:\n${output}`)
        await fetch(`${url}/health/live`)
      },
      { within: START_MS },
    ).catch(async (error) => {
      await stop()
      throw error
    })
  }
  return { url, grpc: `127.0.0.1:${grpc}`, output: () => output, hasEnded, ended, stop }
}
