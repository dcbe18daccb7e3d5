import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { NDJSON_TYPE } from '#core/media-types.ts'
import { DEFAULT_SITE, requestFailure, tokenCommand } from './default-site.ts'
import { printHelpIfAsked } from './help.ts'
import { logEvents } from './sample-log-events.ts'

/** `npm run generate -- --rate 1000` sends log events at that rate until Ctrl-C or for some seconds. It prints its progress every second. */

const USAGE = `
npm run generate -- [options]: sends log events of sample organisations until Ctrl-C, and prints its progress every second

  --rate 10                    events a second, at most 50,000
  --seconds 0                  the duration; 0: until Ctrl-C
  --organisations 8            the number of organisations
  --url http://localhost:8080  the site
  --token ...                  the caller's token; for make dev: --token $(make -s token USER=collector)
  --seed ...                   the same seed makes the same events
`
printHelpIfAsked(USAGE)

const asked = z
  .object({
    rate: z.coerce.number().positive().max(50_000),
    url: z.url(),
    organisations: z.coerce.number().int().min(1).max(1000),
    seconds: z.coerce.number().min(0),
    token: z.string().optional(),
    seed: z.coerce.number().int(),
  })
  .safeParse(given())
if (!asked.success) {
  console.error(asked.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n'))
  process.exit(1)
}

function given() {
  const text = { type: 'string' } as const
  const defaults = {
    rate: '10',
    url: DEFAULT_SITE,
    organisations: '8',
    seconds: '0',
    seed: String(Date.now() % 2 ** 31),
  }
  const options = { rate: text, url: text, organisations: text, seconds: text, token: text, seed: text }
  try {
    return { ...defaults, ...parseArgs({ options }).values }
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}
const { rate, url, organisations, seconds, token, seed } = asked.data

/** A request contains the events that are due since the previous request. */
const TICK_MS = 100
const MAX_LINES = 10_000
const MAX_IN_FLIGHT = 20

const next = logEvents(organisations, seed)
const counts = { sent: 0, accepted: 0, refused: 0, failed: 0 }
const inFlight = new Set<Promise<void>>()
let isStopped = false
process.once('SIGINT', () => {
  isStopped = true
})

async function send(count: number): Promise<void> {
  const lines = Array.from({ length: count }, () => JSON.stringify(next(Date.now())))
  counts.sent += count
  try {
    const answer = await fetch(new URL('/api/logs', url), {
      method: 'POST',
      headers: {
        'content-type': NDJSON_TYPE,
        'idempotency-key': crypto.randomUUID(),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: lines.join('\n'),
      signal: AbortSignal.timeout(30_000),
    })
    const body = await answer.text()
    if (answer.status === 401 || answer.status === 403) {
      isStopped = true
      throw new Error(`${answer.status}: set --token. For make dev: --token ${tokenCommand('collector', url)}`)
    }
    if (answer.status !== 202 && answer.status !== 207) throw new Error(`${answer.status} ${body.slice(0, 300)}`)
    const statuses = body
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { status: number }).status)
    const accepted = statuses.filter((status) => status === 202).length
    counts.accepted += accepted
    counts.refused += count - accepted
  } catch (error) {
    if (counts.failed === 0)
      console.error(requestFailure(error, url, 'Start make dev, or name another site with --url.'))
    counts.failed += count
  }
}

console.log(`${rate} events a second to ${new URL('/api/logs', url)}, seed ${seed}; Ctrl-C stops.`)
const began = Date.now()
let due = 0
let reported = began
while (!isStopped && (seconds === 0 || Date.now() - began < seconds * 1000)) {
  const owed = Math.floor(((Date.now() - began) / 1000) * rate) - due
  const count = Math.min(owed, MAX_LINES)
  if (count > 0 && inFlight.size < MAX_IN_FLIGHT) {
    due += count
    const request: Promise<void> = send(count).finally(() => inFlight.delete(request))
    inFlight.add(request)
  }
  if (Date.now() - reported >= 1000) report()
  await sleep(TICK_MS)
}
await Promise.all(inFlight)
report()
process.exit(counts.failed + counts.refused > 0 ? 1 : 0)

function report(): void {
  reported = Date.now()
  const { sent, accepted, refused, failed } = counts
  const behind = Math.max(0, Math.floor(((reported - began) / 1000) * rate) - due)
  console.log(
    `sent ${sent}, accepted ${accepted}, refused ${refused}, failed ${failed}${behind > rate ? `, ${behind} behind` : ''}`,
  )
}
