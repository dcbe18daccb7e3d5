import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Identity, isRunning, signal } from './process.ts'

/** Where clients find a set of servers. */
export interface Addresses {
  brokers: string[]
  mongodbUri: string
}

/** What is known of a set of servers after the process that started them is gone: `<dir>/services.json`. */
export interface State extends Addresses {
  identities: Identity[]
  /** Whose servers they are; those of `make services` outlive who started them. */
  owner?: Identity
}

const fileOf = (dir: string): string => join(dir, 'services.json')

export function readState(dir: string): State | undefined {
  return existsSync(fileOf(dir)) ? JSON.parse(readFileSync(fileOf(dir), 'utf8')) : undefined
}

export function writeState(dir: string, state: State): void {
  writeFileSync(`${fileOf(dir)}.new`, JSON.stringify(state))
  renameSync(`${fileOf(dir)}.new`, fileOf(dir))
}

/** The servers of `dir`, if all of them run. */
export function runningServices(dir: string): State | undefined {
  const state = readState(dir)
  return state?.identities.every(isRunning) ? state : undefined
}

/** Kills exactly what was started in `dir`; its data stay. */
export async function killServices(dir: string): Promise<void> {
  const identities = readState(dir)?.identities ?? []
  for (const identity of identities) signal(identity, 'SIGKILL')
  while (identities.some(isRunning)) await setTimeout(20)
}

export async function stopServices(dir: string): Promise<void> {
  await killServices(dir)
  rmSync(dir, { recursive: true, force: true })
}

/** Stops the sets under `root` whose owners ended without a word, as a test does that is killed. */
export async function stopOrphans(root: string): Promise<void> {
  for (const name of readdirSync(root)) {
    const owner = readState(join(root, name))?.owner
    if (owner && !isRunning(owner)) await stopServices(join(root, name))
  }
}
