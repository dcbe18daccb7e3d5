import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { type Identity, identify, isPaused, isRunning, signal } from './process.ts'

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
  /** Asks the server; rejects until it answers. */
  ready(): Promise<void>
  /** Told of each process as soon as there is one. */
  onStart(): void
}

const WITHIN_MS = 90_000

export function server({ name, command, logFile, ready, onStart }: ServerOptions): Server {
  let identity: Identity | undefined
  const hasEnded = () => !identity || !isRunning(identity)
  return {
    pid: () => identity?.pid,
    async start() {
      identity = launch(command, logFile)
      onStart()
      await eventually(ready, { name, logFile, hasEnded })
    },
    async kill() {
      signal(identity, 'SIGKILL')
      while (!hasEnded()) await setTimeout(20)
    },
    pause() {
      signal(identity, 'SIGSTOP')
      // On a busy machine it runs on for a moment, and may still answer.
      const until = Date.now() + 1000
      while (identity && !isPaused(identity) && Date.now() < until);
    },
    resume: () => signal(identity, 'SIGCONT'),
  }
}

/** In a process group of its own: Ctrl-C in the terminal is for those who use the server, not for the server. */
function launch([file = '', ...args]: string[], logFile: string): Identity | undefined {
  const log = openSync(logFile, 'a')
  const child = spawn(file, args, { stdio: ['ignore', log, log], detached: true })
  closeSync(log)
  // A command that isn't there has no pid, and is seen to have ended.
  child.on('error', () => undefined)
  child.unref()
  return identify(child.pid)
}

interface Wait {
  name: string
  logFile: string
  hasEnded(): boolean
}

async function eventually(ready: () => Promise<void>, { name, logFile, hasEnded }: Wait): Promise<void> {
  const deadline = Date.now() + WITHIN_MS
  const tail = () => readFileSync(logFile, 'utf8').split('\n').slice(-15).join('\n')
  for (;;) {
    try {
      return await ready()
    } catch (cause) {
      if (hasEnded()) throw new Error(`${name} ended while it started:\n${tail()}`, { cause })
      if (Date.now() > deadline) throw new Error(`${name} was not ready within ${WITHIN_MS} ms:\n${tail()}`, { cause })
      await setTimeout(100)
    }
  }
}
