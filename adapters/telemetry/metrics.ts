import { setTimeout } from 'node:timers/promises'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Lag, Metrics } from '#core/telemetry.ts'
import { requestHistogram } from './requests.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const READ_WITHIN_MS = 1000

type Observe = (value: number) => void

export interface PrometheusMetrics extends Metrics {
  /** Adds the process's own metrics: CPU, heap, event loop. Only a process that serves /metrics pays for them. */
  measureProcess(): void
}

/** Metrics for Prometheus, in a registry of their own. */
export function prometheusMetrics(): PrometheusMetrics {
  const registry = new Registry()
  const { batchSizes, queueLatencies, redeliveryLatencies, errors, letters, repeats, lags } = seriesOf(registry)
  const requests = requestHistogram('millrace_request_duration_seconds', SECONDS)
  registry.registerMetric(requests.metric)
  const observers = new Map<string, Observe>()
  const lagReaders: (() => Promise<void>)[] = []

  /** Looking up a child by its labels costs more than observing: each is looked up once. */
  function observer(key: string, make: () => { observe: Observe }): Observe {
    const known = observers.get(key)
    if (known) return known
    const { observe } = make()
    observers.set(key, observe)
    return observe
  }

  async function readLag(read: () => Promise<Lag>): Promise<void> {
    for (const { topic, lag } of await read()) {
      for (const [partition, records] of lag) lags.set({ topic, partition }, records)
    }
  }

  return {
    requestDone: requests.observe,
    batchSize: (name, topic, size) => observer(`size ${name} ${topic}`, () => batchSizes.labels(name, topic))(size),
    queueLatency(domain, ms, isFirst) {
      const latencies = isFirst ? queueLatencies : redeliveryLatencies
      observer(`latency ${domain} ${isFirst}`, () => latencies.labels(domain))(ms / 1000)
    },
    failed: (cause) => errors.inc({ cause }),
    letterKept: () => letters.inc(),
    repeated: () => repeats.inc(),
    measureLag: (read) => void lagReaders.push(() => readLag(read)),
    measureProcess: () => collectDefaultMetrics({ register: registry }),
    /** A lag that can't be read now keeps its last value: an outage must not blind the rest. */
    async scrape() {
      const read = Promise.allSettled(lagReaders.map((read) => read()))
      await Promise.race([read, setTimeout(READ_WITHIN_MS, undefined, { ref: false })])
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}

function seriesOf(registry: Registry) {
  const registers = [registry]
  return {
    batchSizes: new Histogram({
      name: 'millrace_batch_size',
      help: 'Commands in a batch',
      labelNames: ['function', 'topic'],
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
      registers,
    }),
    queueLatencies: new Histogram({
      name: 'millrace_queue_latency_seconds',
      help: 'Time from a command being accepted to being applied by its first delivery',
      labelNames: ['domain'],
      buckets: SECONDS,
      registers,
    }),
    redeliveryLatencies: new Histogram({
      name: 'millrace_redelivery_latency_seconds',
      help: 'The same for a command that was done before, refused before, or accepted before an outage of the store ended',
      labelNames: ['domain'],
      buckets: [...SECONDS, 60, 600, 3600],
      registers,
    }),
    errors: new Counter({
      name: 'millrace_errors_total',
      help: 'Requests that failed: by a bug of ours, because the log, the store or the issuer was away, or on purpose',
      labelNames: ['cause'],
      registers,
    }),
    letters: new Counter({ name: 'millrace_letters_total', help: 'Deliveries kept as a letter', registers }),
    repeats: new Counter({
      name: 'millrace_repeats_total',
      help: 'Commands that were repeated, and answered without another record',
      registers,
    }),
    lags: new Gauge({
      name: 'millrace_lag',
      help: 'Records that a consumer group has yet to commit',
      labelNames: ['topic', 'partition'],
      registers,
    }),
  }
}
