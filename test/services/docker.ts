import { spawnSync } from 'node:child_process'

const run = (args: string[]): boolean => spawnSync('docker', args, { stdio: 'ignore' }).status === 0

/** Starts compose.yaml. False where no Docker engine answers or it can't have the images. */
export const composeUp = (): boolean =>
  run(['info']) && run(['compose', 'pull', '--quiet']) && run(['compose', 'up', '--detach', '--wait'])

/** Stops what compose.yaml started, with its data; nothing where it started nothing. */
export const composeDown = (): boolean => run(['info']) && run(['compose', 'down', '--volumes'])
