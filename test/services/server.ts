import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

/** One server process that can be killed, paused and started again on its data. */
export interface Server {
  pid(): number | undefined
  /** Resolves when it answers. */
  start(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  pause(): void
  resume(): void
}

export interface ServerOptions {
  name: string
  command: string[]
  logFile: string
  ready(): Promise<void>
  within?: number
}

/** A pid and when its process started: a pid that was given to another process since is not ours. */
export interface Identity {
  pid: number
  started: string
}

export function identify(pid: number): Identity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : { pid, started: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

export const isRunning = ({ pid, started }: Identity): boolean => identify(pid)?.started === started

export function server({ name, command, logFile, ready, within = 60_000 }: ServerOptions): Server {
  let identity: Identity | undefined
  const signal = (name: NodeJS.Signals) => {
    if (identity && isRunning(identity)) process.kill(identity.pid, name)
  }
  return {
    pid: () => identity?.pid,
    async start() {
      const log = openSync(logFile, 'a')
      const [file = '', ...args] = command
      const child = spawn(file, args, { stdio: ['ignore', log, log], detached: true })
      closeSync(log)
      child.unref()
      const failed = new Promise<never>((_, reject) => child.once('error', reject))
      identity = identify(child.pid ?? -1)
      await Promise.race([poll(ready, within, name, logFile, () => identity && isRunning(identity)), failed])
    },
    async kill() {
      signal('SIGCONT')
      signal('SIGKILL')
      while (identity && isRunning(identity)) await new Promise((resolve) => setTimeout(resolve, 20))
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
  }
}

async function poll(ready: () => Promise<void>, within: number, name: string, logFile: string, alive: () => unknown) {
  const deadline = Date.now() + within
  for (;;) {
    try {
      return await ready()
    } catch (cause) {
      const tail = () => readFileSync(logFile, 'utf8').split('\n').slice(-15).join('\n')
      if (!alive()) throw new Error(`${name} ended while it started:\n${tail()}`, { cause })
      if (Date.now() > deadline) throw new Error(`${name} was not ready within ${within} ms:\n${tail()}`, { cause })
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
