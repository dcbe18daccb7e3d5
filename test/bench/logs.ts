import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { eventsOf } from '#client/stream.ts'
import { appended } from '#core/collections.ts'
import { newId } from '#core/ids.ts'
import type { Document, Fields } from '#domains/domain.ts'
import logs from '#domains/logs/domain.ts'
import { logEvents } from '../../deploy/sample-log-events.ts'
import { openStore } from './fold.ts'
import { medians, type Sent, throughput } from './load.ts'
import { percentile, sorted } from './percentile.ts'
import type { Figure } from './report.ts'
import { newSandbox, type Pair, prepare } from './sandbox.ts'
import { ours, type Served, serve } from './served.ts'

const LINES = 1000
const ROUNDS = 3
const RATES = [200, 1000]
const LATE_MS = 30_000
const [ORGANISATIONS, SEED] = [8, 1]

/** The settings without tokens, whose cost is not measured here. */
const OPEN = { ANONYMOUS_SCOPES: 'logs:read logs:write logs:all' }

const next = logEvents(ORGANISATIONS, SEED)
const events = Array.from({ length: LINES }, () => next(Date.now()))
const lines = events.map((event) => JSON.stringify(event))
const single: Sent = { over: 'http', path: '/api/logs', bodies: lines, status: 202 }
const batch: Sent = { ...single, bodies: [lines.join('\n')], headers: { 'content-type': 'application/x-ndjson' } }

/** Row k: the throughput of publish with many lines a request, and with one event each. They take turns, and the median counts. */
export async function ingests(pairs: Pair[], isQuick: boolean): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const pair of pairs) {
    const sandbox = newSandbox(pair)
    await prepare(sandbox)
    const server = await serve(ours({ ...sandbox.env, ...OPEN, FUNCTION_TARGET: 'publish' }, sandbox.root))
    try {
      const posts = (seconds: number) => throughput(server, single, 32, seconds)
      const batches = (seconds: number) => throughput(server, batch, 4, seconds)
      for (const way of [posts, batches]) await way(1)
      const [posted, batched] = [[await posts(2)], [await batches(2)]]
      for (let round = 1; round < (isQuick ? 1 : ROUNDS); round++) {
        posted.push(await posts(2))
        batched.push(await batches(2))
      }
      const [one, many] = [medians(posted), medians(batched)]
      const ratio = { of: 'single posts', value: (many.perSecond * LINES) / one.perSecond }
      const cpu = { of: 'single posts', value: many.cpuMicros / LINES / one.cpuMicros }
      const [posts32, batches4] = [
        `single posts, ${pair} log, 32 at once`,
        `NDJSON of ${LINES}, ${pair} log, 4 at once`,
      ]
      figures.push(
        { row: 'k', name: posts32, value: one.perSecond, unit: 'events/s' },
        { row: 'k', name: batches4, value: many.perSecond * LINES, unit: 'events/s', ratio },
        { row: 'k', name: batches4, value: many.cpuMicros / LINES, unit: 'CPU us/event', ratio: cpu },
      )
    } finally {
      await server.stop()
    }
  }
  return figures
}

/**
 * Row l: the time from the acceptance of an event, which its document has, to its arrival at a live reader, a little after it is
 * stored. The generator sends, and every event is read. Near the limit of the store a queue adds to the time.
 */
export async function logLatencies(pairs: Pair[], isQuick: boolean): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const pair of pairs) {
    const alone = await inserted(pair, isQuick ? 500 : 3000)
    figures.push({
      row: 'l',
      name: `log events, ${pair} store alone, 100 an insert`,
      value: alone,
      unit: 'documents/s',
    })
    const { env, root } = newSandbox(pair)
    const server = await serve(ours({ ...env, ...OPEN }, root, 'main/dev.ts'))
    const readers = new AbortController()
    try {
      const took: number[] = []
      await listen(server, took, readers.signal)
      await generated(server, 200, isQuick ? 1 : 3, took)
      for (const rate of RATES) {
        took.length = 0
        await generated(server, rate, isQuick ? 2 : 8, took)
        const times = sorted(took)
        const name = `log events accepted to read, ${pair} pair, ${rate.toLocaleString('en')}/s`
        figures.push({ row: 'l', name: `${name}, p50`, value: percentile(times, 0.5), unit: 'ms' })
        figures.push({ row: 'l', name: `${name}, p99`, value: percentile(times, 0.99), unit: 'ms' })
      }
    } finally {
      readers.abort()
      await server.stop()
    }
  }
  return figures
}

/** The documents of log events that the store inserts in a second. */
async function inserted(pair: Pair, ms: number): Promise<number> {
  const { store, close } = openStore(pair)
  const collection = appended(logs)
  await store.prepare([collection])
  const began = performance.now()
  let count = 0
  while (performance.now() - began < ms) {
    await store.insert(
      collection,
      Array.from({ length: 100 }, () => documentOf(count++)),
    )
  }
  const perSecond = (count * 1000) / (performance.now() - began)
  await close()
  return perSecond
}

function documentOf(offset: number): Document {
  const [id, time] = [newId(Date.now()), new Date().toISOString()]
  const data: Fields = { ...next(Date.now()) }
  const stream = `organisation/${data.organizationId}`
  const command = { id, type: 'logs.write', stream, time, actor: 'anonymous', scopes: [], offset, data }
  return { _id: id, _hash: id.slice(0, 22), ...logs.documents.document(command) }
}

/** Runs `npm run generate`. Resolves when every event is read. */
async function generated({ url }: Served, rate: number, seconds: number, took: number[]): Promise<void> {
  const given = { rate, url, seconds, organisations: ORGANISATIONS, seed: SEED }
  const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)])
  const { stdout } = await promisify(execFile)(process.execPath, [resolve('deploy/send-log-events.ts'), ...args])
  const accepted = Number(/accepted (\d+).*\n$/.exec(stdout)?.[1])
  const deadline = Date.now() + LATE_MS
  while (took.length < accepted) {
    if (Date.now() > deadline) throw new Error(`only ${took.length} of ${accepted} events were read`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  if (took.length > accepted) throw new Error(`${took.length} events were read, of ${accepted}`)
}

/** Starts a live reader for each organisation. Resolves once none of them misses anything. */
async function listen({ url }: Served, took: number[], signal: AbortSignal): Promise<void> {
  const organisations = new Set(events.map(({ organizationId }) => organizationId))
  await Promise.all(
    [...organisations].map(
      (organizationId) =>
        new Promise<void>((begun, fail) => {
          read(`${url}/api/logs/live?organizationId=${organizationId}`, begun).catch((error) => {
            if (!signal.aborted) fail(error)
          })
        }),
    ),
  )

  async function read(url: string, begun: () => void): Promise<void> {
    const { body, status } = await fetch(url, { signal })
    if (!body || status !== 200) throw new Error(`${url} answers ${status}`)
    for await (const { event, data } of eventsOf(body)) {
      if (event === 'begun') begun()
      else if (event === 'message' && data !== '') took.push(Date.now() - Date.parse(JSON.parse(data).time))
    }
  }
}
