import { mkdirSync, writeFileSync } from 'node:fs'
import { composeLacks } from './compose/model.ts'
import { type Counts, countPart, interruptPart, runPart } from './part.ts'
import { kafkaLacks, keycloakLacks, mongodbLacks } from './services/install.ts'
import { HINT, lease } from './services/shared.ts'
import { stopOrphans } from './services/state.ts'

/**
 * `make test`: runs every part that this machine can run, one after another, and prints a line with the counts.
 * `npm test -- unit e2e-embedded` runs only these parts.
 */
const EMBEDDED = ['rules', 'unit', 'simulation', 'packages', 'e2e-embedded', 'faults']
/** The servers that a part needs but this machine lacks. Tests that kill servers start their own. */
const REAL = new Map([
  ['real', () => mongodbLacks()],
  ['e2e-real', () => undefined],
  ['e2e-bundles', () => undefined],
  ['compose', () => composeLacks()],
  ['upgrade', () => composeLacks()],
  ['keycloak', () => keycloakLacks()],
  ['faults-real', () => kafkaLacks() ?? mongodbLacks()],
])
const parts = [...EMBEDDED, ...REAL.keys()]
const only = process.argv.slice(2)
const unknown = only.filter((part) => !parts.includes(part))
if (unknown.length > 0) {
  console.error(`No such part: ${unknown.join(', ')}. There are ${parts.join(', ')}.`)
  process.exit(1)
}

const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true
    interruptPart()
  })
}

const wanted = (part: string) => only.length === 0 || only.includes(part)
mkdirSync('.millrace', { recursive: true })
try {
  for (const part of EMBEDDED.filter(wanted)) await run(part, {})
  await onServers([...REAL.keys()].filter(wanted))
} catch (error) {
  counts.failed += 1
  console.error(error)
}
await stopOrphans('.millrace')

const { passed, failed, skipped } = counts
const summary = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
writeFileSync('.millrace/summary', `${summary}\n`)
console.log(summary)
const isIncomplete = interrupted || (process.env.CI === 'true' && skipped > 0)
process.exit(failed > 0 || passed === 0 || isIncomplete ? 1 : 0)

async function run(part: string, env: Record<string, string>): Promise<void> {
  if (interrupted) return
  const more = await runPart(part, env)
  for (const what of ['passed', 'failed', 'skipped'] as const) counts[what] += more[what]
}

async function onServers(wanted: string[]): Promise<void> {
  if (wanted.length === 0 || interrupted) return
  console.log('\nThe servers of the real pair ...')
  const servers = await lease()
  const able = servers ? wanted.filter((part) => !REAL.get(part)?.()) : []
  skip(wanted.filter((part) => !able.includes(part)))
  if (!servers) return
  const env = { KAFKA_BROKERS: servers.brokers.join(','), MONGODB_URI: servers.mongodbUri }
  try {
    for (const part of able) await run(part, env)
  } finally {
    await servers.stop()
  }
}

function skip(parts: string[]): void {
  if (parts.length === 0) return
  const found = [kafkaLacks(), mongodbLacks(), ...parts.map((part) => REAL.get(part)?.())]
  const lacks = new Set(found.filter((lack) => lack !== undefined))
  counts.skipped += parts.reduce((sum, part) => sum + countPart(part), 0)
  console.log(`Skipped ${parts.join(', ')}: there is ${[...lacks].join(', ')}. ${HINT}`)
}
