import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
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
  /** How long it may write nothing while it starts. */
  quietMs?: number
  /** How long it may take to start, whatever it writes. */
  withinMs?: number
}

const QUIET_MS = 90_000
const WITHIN_MS = 10 * 60_000

export function server(options: ServerOptions): Server {
  const { name, command, logFile, ready, onStart, quietMs = QUIET_MS, withinMs = WITHIN_MS } = options
  let identity: Identity | undefined
  const hasEnded = () => !identity || !isRunning(identity)
  return {
    pid: () => identity?.pid,
    async start() {
      identity = launch(command, logFile)
      onStart()
      await eventually(ready, { name, logFile, hasEnded, quietMs, withinMs })
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
  quietMs: number
  withinMs: number
}

/** A busy machine starts servers slowly: one that lives and goes on writing its log is waited for. */
async function eventually(ready: () => Promise<void>, wait: Wait): Promise<void> {
  const { name, logFile, hasEnded, quietMs, withinMs } = wait
  const deadline = Date.now() + withinMs
  let written = { size: 0, at: Date.now() }
  const tail = () => readFileSync(logFile, 'utf8').split('\n').slice(-15).join('\n')
  for (;;) {
    try {
      return await ready()
    } catch (cause) {
      if (hasEnded()) throw new Error(`${name} ended while it started:\n${tail()}`, { cause })
      const { size } = statSync(logFile)
      if (size !== written.size) written = { size, at: Date.now() }
      const seconds = (ms: number) => `${ms / 1000} s`
      const isQuiet = Date.now() - written.at > quietMs
      const why = isQuiet ? `wrote nothing for ${seconds(quietMs)}` : `was not ready within ${seconds(withinMs)}`
      if (isQuiet || Date.now() > deadline) throw new Error(`${name} ${why} while it started:\n${tail()}`, { cause })
      await setTimeout(100)
    }
  }
}
