import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { missing } from './services/install.ts'
import { runningServices, type Services, startServices } from './services/services.ts'

/**
 * make test: every part that can run on this machine, one after the other, and one line that counts them all.
 * `npm test -- unit e2e-embedded` runs only those parts.
 */
const EMBEDDED = ['rules', 'unit', 'e2e-embedded', 'faults']
const REAL = ['real', 'e2e-real', 'faults-real']
const REPORT = '.millrace/report.json'
const PART_WITHIN_MS = 20 * 60_000

const only = process.argv.slice(2)
const unknown = only.filter((part) => ![...EMBEDDED, ...REAL].includes(part))
if (unknown.length > 0) throw new Error(`No such part: ${unknown}. There are ${[...EMBEDDED, ...REAL].join(', ')}.`)

const wanted = (part: string) => only.length === 0 || only.includes(part)
const counts = { passed: 0, failed: 0, skipped: 0 }

const lacks = REAL.some(wanted) ? missing() : undefined
for (const part of EMBEDDED.filter(wanted)) await run(part, {})
if (REAL.some(wanted) && !lacks) await onServices()
if (lacks) {
  counts.skipped += REAL.filter(wanted).length
  console.log(
    `Skipped ${REAL.filter(wanted).join(', ')}: ${lacks}. They need Java 17 and Maven, and a mongod or Python 3.`,
  )
}

const { passed, failed, skipped } = counts
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
const isIncomplete = process.env.CI === 'true' && skipped > 0
process.exit(failed > 0 || passed === 0 || isIncomplete ? 1 : 0)

/** On the services that run already, else on a set that is started for it and stopped after it. */
async function onServices(): Promise<void> {
  const running = runningServices('.millrace/services')
  const { KAFKA_BROKERS, MONGODB_URI } = process.env
  let own: Services | undefined
  if (!running && !(KAFKA_BROKERS && MONGODB_URI)) {
    console.log('Starting three brokers and a MongoDB ...')
    const options = { dir: '.millrace/test-services', kafka: !KAFKA_BROKERS, mongodb: !MONGODB_URI }
    own = await startServices({ ...options, kafkaPort: 19392, mongodbPort: 27417 })
  }
  const brokers = KAFKA_BROKERS ?? (own ?? running)?.brokers.join(',') ?? ''
  const uri = MONGODB_URI ?? (own ?? running)?.mongodbUri ?? ''
  try {
    for (const part of REAL.filter(wanted)) await run(part, { KAFKA_BROKERS: brokers, MONGODB_URI: uri })
  } finally {
    await own?.stop()
  }
}

async function run(part: string, env: Record<string, string>): Promise<void> {
  console.log(`\n== ${part}`)
  mkdirSync('.millrace', { recursive: true })
  rmSync(REPORT, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`]
  const code = await command('vitest', ['run', '--project', part, ...reporters], env)
  const report = readReport()
  counts.passed += report.numPassedTests
  counts.skipped += report.numPendingTests + report.numTodoTests
  counts.failed += Math.max(report.numFailedTests, code === 0 ? 0 : 1)
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

function command(name: string, args: string[], env: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } })
    const late = setTimeout(() => child.kill('SIGKILL'), PART_WITHIN_MS)
    child.once('error', reject)
    child.once('exit', (code) => {
      clearTimeout(late)
      resolve(code ?? 1)
    })
  })
}
