import { setTimeout } from 'node:timers/promises'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { requestHistogram } from './requests.ts'

const registry = new Registry()

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const registers = [registry]

const requests = requestHistogram('millrace_request_duration_seconds', seconds)
registry.registerMetric(requests.metric)

const batchSizes = new Histogram({
  name: 'millrace_batch_size',
  help: 'Commands in a batch',
  labelNames: ['function', 'topic'],
  buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  registers,
})

const queueLatencies = new Histogram({
  name: 'millrace_queue_latency_seconds',
  help: 'Time from a command being accepted to being applied by its first delivery',
  labelNames: ['domain'],
  buckets: seconds,
  registers,
})

const redeliveryLatencies = new Histogram({
  name: 'millrace_redelivery_latency_seconds',
  help: 'The same for a command that was done before, refused before, or accepted before an outage of the store ended',
  labelNames: ['domain'],
  buckets: [...seconds, 60, 600, 3600],
  registers,
})

const errors = new Counter({
  name: 'millrace_errors_total',
  help: 'Requests that failed: by a bug of ours, because the log, the store or the issuer was away, or on purpose',
  labelNames: ['cause'],
  registers,
})

const letters = new Counter({ name: 'millrace_letters_total', help: 'Deliveries kept as a letter', registers })

const repeats = new Counter({
  name: 'millrace_repeats_total',
  help: 'Commands that were repeated, and answered without another record',
  registers,
})

const lags = new Gauge({
  name: 'millrace_lag',
  help: 'Records that a consumer group has yet to commit',
  labelNames: ['topic', 'partition'],
  registers,
})

/** The process's own: CPU, heap, event loop. Only who serves /metrics pays for them. */
export const processMetrics = (): void => collectDefaultMetrics({ register: registry })

type Observe = (value: number) => void
const observers = new Map<string, Observe>()

/** Looking up a child by its labels costs more than observing: each is looked up once. */
function observer(key: string, make: () => { observe: Observe }): Observe {
  const known = observers.get(key)
  if (known) return known
  const { observe } = make()
  observers.set(key, observe)
  return observe
}

export const requestDone = requests.observe

export const batchSize = (name: string, topic: string, size: number): void =>
  observer(`size ${name} ${topic}`, () => batchSizes.labels(name, topic))(size)

export const queueLatency = (domain: string, ms: number, isFirst: boolean): void => {
  const latencies = isFirst ? queueLatencies : redeliveryLatencies
  observer(`latency ${domain} ${isFirst}`, () => latencies.labels(domain))(ms / 1000)
}

export const failed = (cause: 'bug' | 'log' | 'store' | 'issuer' | 'deliberate'): void => errors.inc({ cause })

export const letterKept = (): void => letters.inc()

export const repeated = (): void => repeats.inc()

const READ_WITHIN_MS = 1000
const lagReaders: (() => Promise<void>)[] = []

/** Asked at each scrape. */
export function measureLag(read: () => Promise<{ topic: string; lag: Map<number, number> }[]>): void {
  lagReaders.push(async () => {
    for (const { topic, lag } of await read()) {
      for (const [partition, records] of lag) lags.set({ topic, partition }, records)
    }
  })
}

/** The text of a scrape. A lag that can't be read now is left as it was: an outage must not blind the rest. */
export async function scrape(): Promise<{ contentType: string; text: string }> {
  const read = Promise.allSettled(lagReaders.map((read) => read()))
  await Promise.race([read, setTimeout(READ_WITHIN_MS, undefined, { ref: false })])
  return { contentType: registry.contentType, text: await registry.metrics() }
}
