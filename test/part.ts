import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'

export interface Counts {
  passed: number
  failed: number
  skipped: number
}

const VITEST = 'node_modules/vitest/vitest.mjs'
const REPORT = '.millrace/report.json'
const WITHIN_MS = 15 * 60_000

let running: ChildProcess | undefined

/** Runs the vitest project of that name. Whatever goes wrong outside of its tests counts as one that failed. */
export async function runPart(part: string, env: Record<string, string>): Promise<Counts> {
  console.log(`\n== ${part}`)
  rmSync(REPORT, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`]
  const code = await vitest(['run', '--project', part, ...reporters], env)
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = readReport()
  return {
    passed: numPassedTests,
    failed: Math.max(numFailedTests, code === 0 ? 0 : 1),
    skipped: numPendingTests + numTodoTests,
  }
}

/** How many tests a part has, without running them. */
export function countPart(part: string): number {
  const list = [VITEST, 'list', '--no-static-parse', '--project', part]
  const { stdout } = spawnSync(process.execPath, list, { encoding: 'utf8' })
  return stdout.split('\n').filter((line) => line.includes(' > ')).length
}

/** Has the part under way end itself. */
export function interruptPart(): void {
  running?.kill('SIGINT')
}

interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
}

function readReport(): Report {
  try {
    return JSON.parse(readFileSync(REPORT, 'utf8'))
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 }
  }
}

function vitest(args: string[], env: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [VITEST, ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
      timeout: WITHIN_MS,
      killSignal: 'SIGKILL',
    })
    running = child
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}
