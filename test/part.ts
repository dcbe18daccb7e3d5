import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Line, REPORT_VARIABLE } from './reporter.ts'

export interface Counts {
  passed: number
  failed: number
  skipped: number
}

export interface PartOptions {
  /** The time without an ended test after which a part is stopped. */
  stalledAfterMs?: number
  /** The time that a part has to stop by itself. */
  stopWithinMs?: number
  config?: string
  output?: 'inherit' | 'ignore'
}

const VITEST = 'node_modules/vitest/vitest.mjs'
const STALLED_AFTER_MS = 15 * 60_000
const STOP_WITHIN_MS = 30_000
const LOOK_EVERY_MS = 250

let running: ChildProcess | undefined

/**
 * Runs the vitest project with this name. An error outside of the tests counts as a failed test. A part in which no test ends
 * any more is stopped and fails, but its ended tests count.
 */
export async function runPart(part: string, env: Record<string, string>, options: PartOptions = {}): Promise<Counts> {
  console.log(`\n== ${part}`)
  const dir = mkdtempSync(join(tmpdir(), 'report-'))
  const report = join(dir, 'report.ndjson')
  const config = options.config === undefined ? [] : ['--config', options.config]
  const args = ['run', '--project', part, '--reporter=default', '--reporter=./test/reporter.ts', ...config]
  const { code, stalledMs } = await vitest(args, { ...env, [REPORT_VARIABLE]: report }, report, options)
  const lines = linesOf(report)
  rmSync(dir, { recursive: true })
  const count = (state: Line['state']) => lines.filter((line) => line.state === state).length
  if (stalledMs !== undefined) sayStalled(part, stalledMs, lines)
  const stalled = stalledMs === undefined ? 0 : 1
  return {
    passed: count('passed'),
    failed: Math.max(count('failed') + stalled, code === 0 ? 0 : 1),
    skipped: count('skipped'),
  }
}

function sayStalled(part: string, stalledMs: number, lines: Line[]): void {
  const failed = lines.filter(({ state }) => state === 'failed').map(({ name }) => `\n  failed: ${name}`)
  const last = lines.at(-1)?.name ?? 'none'
  console.error(
    `\n${part} was stopped: no test ended for ${stalledMs / 1000} s. It counts as failed, beside the ${lines.length} tests that ` +
      `ended before.\n  the last to end: ${last}${failed.join('')}`,
  )
}

/** The number of tests in a part, without running them. */
export function countPart(part: string): number {
  const list = [VITEST, 'list', '--no-static-parse', '--project', part]
  const { stdout } = spawnSync(process.execPath, list, { encoding: 'utf8' })
  return stdout.split('\n').filter((line) => line.includes(' > ')).length
}

/** Asks the running part to stop. */
export function interruptPart(): void {
  running?.kill('SIGINT')
}

/** The lines of the report; none before the first test has ended. A killed run may have cut off the last one. */
function linesOf(report: string): Line[] {
  if (sizeOf(report) === 0) return []
  const text = readFileSync(report, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]))
}

const sizeOf = (report: string): number => statSync(report, { throwIfNoEntry: false })?.size ?? 0

interface End {
  code: number
  /** The time without an ended test, if the part was stopped for that. */
  stalledMs: number | undefined
}

/** Stops a stalled part: it is first asked to end, so that it stops its own processes, and then killed. */
function vitest(args: string[], env: Record<string, string>, report: string, options: PartOptions): Promise<End> {
  const { stalledAfterMs = STALLED_AFTER_MS, stopWithinMs = STOP_WITHIN_MS, output = 'inherit' } = options
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [VITEST, ...args], {
      stdio: ['ignore', output, output],
      env: { ...process.env, ...env },
    })
    running = child
    let size = 0
    let movedAt = Date.now()
    let stalledMs: number | undefined
    let kill: NodeJS.Timeout | undefined
    const look = setInterval(() => {
      const now = sizeOf(report)
      if (now !== size) movedAt = Date.now()
      size = now
      if (stalledMs !== undefined || Date.now() - movedAt < stalledAfterMs) return
      stalledMs = stalledAfterMs
      child.kill('SIGINT')
      kill = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    }, LOOK_EVERY_MS)
    const settle = () => {
      clearInterval(look)
      clearTimeout(kill)
    }
    child.once('error', (error) => {
      settle()
      reject(error)
    })
    child.once('exit', (code) => {
      settle()
      resolve({ code: code ?? 1, stalledMs })
    })
  })
}
