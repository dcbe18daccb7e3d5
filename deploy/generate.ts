import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { logEvents } from './log-events.ts'

/** `npm run generate -- --rate 1000`: log events at that rate, until Ctrl-C or for so many seconds; each second it says how it goes. */
const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '10' },
    url: { type: 'string', default: 'http://localhost:8080' },
    organisations: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '0' },
    token: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
const asked = z
  .object({
    rate: z.coerce.number().positive().max(50_000),
    url: z.url(),
    organisations: z.coerce.number().int().min(1).max(1000),
    seconds: z.coerce.number().min(0),
    token: z.string().optional(),
    seed: z.coerce.number().int(),
  })
  .safeParse(values)
if (!asked.success) {
  console.error(asked.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n'))
  process.exit(1)
}
const { rate, url, organisations, seconds, token, seed } = asked.data

/** A request holds what is due since the one before, so that a high rate makes large ones and a low rate single events. */
const TICK_MS = 100
const MOST_LINES = 10_000
const MOST_UNDER_WAY = 20

const next = logEvents(organisations, seed)
const told = { sent: 0, accepted: 0, refused: 0, failed: 0 }
const underWay = new Set<Promise<void>>()
let isStopped = false
process.once('SIGINT', () => {
  isStopped = true
})

async function send(count: number): Promise<void> {
  const lines = Array.from({ length: count }, () => JSON.stringify(next(Date.now())))
  told.sent += count
  try {
    const answer = await fetch(new URL('/api/logs', url), {
      method: 'POST',
      headers: {
        'content-type': 'application/x-ndjson',
        'idempotency-key': crypto.randomUUID(),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: lines.join('\n'),
      signal: AbortSignal.timeout(30_000),
    })
    const body = await answer.text()
    if (answer.status !== 202 && answer.status !== 207) throw new Error(`${answer.status} ${body.slice(0, 300)}`)
    const statuses = body
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { status: number }).status)
    const accepted = statuses.filter((status) => status === 202).length
    told.accepted += accepted
    told.refused += count - accepted
  } catch (error) {
    if (told.failed === 0) console.error(`${(error as Error).message} ${(error as Error).cause ?? ''}`.trim())
    told.failed += count
  }
}

console.log(`${rate} events a second to ${new URL('/api/logs', url)}, seed ${seed}; Ctrl-C stops.`)
const began = Date.now()
let due = 0
let reported = began
while (!isStopped && (seconds === 0 || Date.now() - began < seconds * 1000)) {
  const owed = Math.floor(((Date.now() - began) / 1000) * rate) - due
  const count = Math.min(owed, MOST_LINES)
  if (count > 0 && underWay.size < MOST_UNDER_WAY) {
    due += count
    const request: Promise<void> = send(count).finally(() => underWay.delete(request))
    underWay.add(request)
  }
  if (Date.now() - reported >= 1000) report()
  await sleep(TICK_MS)
}
await Promise.all(underWay)
report()
process.exit(told.failed + told.refused > 0 ? 1 : 0)

function report(): void {
  reported = Date.now()
  const { sent, accepted, refused, failed } = told
  const behind = Math.max(0, Math.floor(((reported - began) / 1000) * rate) - due)
  console.log(
    `sent ${sent}, accepted ${accepted}, refused ${refused}, failed ${failed}${behind > rate ? `, ${behind} behind` : ''}`,
  )
}
