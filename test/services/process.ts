import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** A pid and when its process started: a pid that was given to another process since is not ours. */
export interface Identity {
  pid: number
  started: string
}

/** Nothing for a process that is gone. */
export function identify(pid: number | undefined): Identity | undefined {
  const started = pid && (existsSync('/proc/self/stat') ? startedByProc(pid) : startedByPs(pid))
  return pid && started ? { pid, started } : undefined
}

export const isRunning = ({ pid, started }: Identity): boolean => identify(pid)?.started === started

/** Sends the signal to that very process, if it still runs. */
export function signal(identity: Identity | undefined, name: NodeJS.Signals): void {
  if (identity && isRunning(identity)) process.kill(identity.pid, name)
}

/** Whether all of its threads stand still; never, where no /proc tells. */
export function isPaused({ pid }: Identity): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    return threads.every((thread) => /\) T /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')))
  } catch {
    return false
  }
}

/** A killed process is not gone before its last thread is: until then its ports and locks are held. */
function startedByProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const isDead = fields[0] === 'Z' && readdirSync(`/proc/${pid}/task`).length <= 1
    return isDead ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function startedByPs(pid: number): string | undefined {
  const [state, ...started] = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', `${pid}`], { encoding: 'utf8' })
    .stdout.trim()
    .split(/\s+/)
  return state?.startsWith('Z') ? undefined : started.join(' ')
}
