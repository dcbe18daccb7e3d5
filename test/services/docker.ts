import { spawnSync } from 'node:child_process'

const docker = (args: string[], timeout: number): { ok: boolean; output: string } => {
  const { status, stdout } = spawnSync('docker', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout,
  })
  return { ok: status === 0, output: stdout ?? '' }
}

/** A project of its own, so that stopping it with its data touches nothing of `make up`. */
const compose = (args: string[], timeout: number) =>
  docker(['compose', '--project-name', 'millrace-services', ...args], timeout)

const SERVICES = ['kafka-1', 'kafka-2', 'kafka-3', 'mongodb']

export const hasDocker = (): boolean => docker(['info'], 10_000).ok

/** Starts the servers of compose.yaml. False where they can't be had, an image for instance; nothing is left behind then. */
export function composeUp(): boolean {
  const { ok } = compose(['up', '--detach', '--wait', '--quiet-pull', ...SERVICES], 10 * 60_000)
  if (!ok) composeDown()
  return ok
}

export const composeRuns = (): boolean => compose(['ps', '--quiet', '--status', 'running'], 10_000).output.trim() !== ''

/** With their data. */
export const composeDown = (): boolean => compose(['down', '--volumes'], 120_000).ok
