import { spawnSync } from 'node:child_process'

const docker = (args: string[], timeout: number): { ok: boolean; output: string } => {
  const { status, stdout } = spawnSync('docker', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout,
  })
  return { ok: status === 0, output: stdout ?? '' }
}

export const hasDocker = (): boolean => docker(['info'], 10_000).ok

/** Starts compose.yaml. False where that can't be had, an image for instance; nothing is left behind then. */
export function composeUp(): boolean {
  const { ok } = docker(['compose', 'up', '--detach', '--wait', '--quiet-pull'], 10 * 60_000)
  if (!ok) composeDown()
  return ok
}

export const composeRuns = (): boolean =>
  docker(['compose', 'ps', '--quiet', '--status', 'running'], 10_000).output.trim() !== ''

/** With their data. */
export const composeDown = (): boolean => docker(['compose', 'down', '--volumes'], 120_000).ok
