import { setTimeout } from 'node:timers/promises'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Lag, Metrics, RequestLabels } from '#core/telemetry.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const READ_WITHIN_MS = 1000
/** The period in which the lag of the event loop is sampled. A longer turn delays a sample, and an idle process wakes up less. */
const LOOP_PERIOD_MS = 50

type Observe = (value: number) => void

export interface PrometheusMetrics extends Metrics {
  /** Adds the metrics of the process: CPU, heap, event loop. Only a process that serves /metrics needs them. */
  measureProcess(): void
}

/** Metrics for Prometheus, in a registry of their own so that tests do not share any. */
export function prometheusMetrics(): PrometheusMetrics {
  const registry = new Registry()
  const { batchSizes, queueLatencies, redeliveryLatencies, errors, letters, repeats, lags } = seriesOf(registry)
  const requests = requestHistogram('millrace_request_duration_seconds', SECONDS)
  registry.registerMetric(requests.metric)
  const observers = new Map<string, Observe>()
  const lagReaders: (() => Promise<void>)[] = []

  /** The observer of a series. It is looked up once, since that costs more than an observation. */
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
    measureProcess: () => collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_PERIOD_MS }),
    /** Keeps the last lag if it cannot be read now, so that an outage does not hide the other metrics. */
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
      help: 'The number of commands in a batch',
      labelNames: ['function', 'topic'],
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
      registers,
    }),
    queueLatencies: new Histogram({
      name: 'millrace_queue_latency_seconds',
      help: 'The seconds from accepting a command to applying it, for commands that their first delivery applied',
      labelNames: ['domain'],
      buckets: SECONDS,
      registers,
    }),
    redeliveryLatencies: new Histogram({
      name: 'millrace_redelivery_latency_seconds',
      help: 'The seconds from accepting a command to its outcome, for repeated deliveries and for commands that waited for the store',
      labelNames: ['domain'],
      buckets: [...SECONDS, 60, 600, 3600],
      registers,
    }),
    errors: new Counter({
      name: 'millrace_errors_total',
      help: 'The number of failed requests, by cause: a bug, an unavailable log, store or issuer, or a deliberate fault',
      labelNames: ['cause'],
      registers,
    }),
    letters: new Counter({
      name: 'millrace_letters_total',
      help: 'The number of deliveries that became letters',
      registers,
    }),
    repeats: new Counter({
      name: 'millrace_repeats_total',
      help: 'The number of repeated commands that needed no new record',
      registers,
    }),
    lags: new Gauge({
      name: 'millrace_lag',
      help: 'The number of records that a consumer group has not committed yet',
      labelNames: ['topic', 'partition'],
      registers,
    }),
  }
}

interface Series {
  labels: RequestLabels
  /** The number of requests in each bucket. The last bucket has those that took longer than all bounds. */
  counts: number[]
  seconds: number
}

/**
 * The histogram of request durations. prom-client's own one builds and hashes a string of the labels at each observation, which
 * takes five to ten times as long as this one. There are few series, so a linear search is cheap.
 */
function requestHistogram(name: string, bounds: number[]) {
  const all: Series[] = []

  function observe(labels: RequestLabels, ms: number): void {
    let series = all.find((one) => isSame(one.labels, labels))
    if (!series) {
      series = { labels, counts: Array(bounds.length + 1).fill(0), seconds: 0 }
      all.push(series)
    }
    const seconds = ms / 1000
    let bucket = 0
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++
    series.counts[bucket] = (series.counts[bucket] as number) + 1
    series.seconds += seconds
  }

  function* values() {
    for (const { labels, counts, seconds } of all) {
      let count = 0
      for (const [bucket, more] of counts.entries()) {
        count += more
        yield { metricName: `${name}_bucket`, labels: { le: bounds[bucket] ?? '+Inf', ...labels }, value: count }
      }
      yield { metricName: `${name}_sum`, labels, value: seconds }
      yield { metricName: `${name}_count`, labels, value: count }
    }
  }

  const help = 'The seconds from the head of a request to the end of its response'
  const get = async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: [...values()] })
  /** The members of a metric that a registry uses. */
  const metric = { name, help, get } as unknown as Histogram
  return { observe, metric }
}

const isSame = (one: RequestLabels, other: RequestLabels): boolean =>
  one.status === other.status &&
  one.route === other.route &&
  one.function === other.function &&
  one.method === other.method
