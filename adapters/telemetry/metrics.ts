import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export const registry = new Registry()

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const registers = [registry]

const durations = new Histogram({
  name: 'millrace_request_duration_seconds',
  help: 'Time from the last byte of a request to the end of its answer; its count is the number of requests',
  labelNames: ['function', 'method', 'status'],
  buckets: seconds,
  registers,
})

const batchSizes = new Histogram({
  name: 'millrace_batch_size',
  help: 'Commands in a batch',
  labelNames: ['function', 'domain'],
  buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  registers,
})

const queueLatencies = new Histogram({
  name: 'millrace_queue_latency_seconds',
  help: 'Time from a command being accepted to being applied',
  labelNames: ['domain'],
  buckets: seconds,
  registers,
})

const outcomes = new Counter({
  name: 'millrace_deliveries_total',
  help: 'Deliveries by what persist answered: 204 applied, 422 kept as a letter, 500 fault, 503 outage',
  labelNames: ['status'],
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
  const child = make()
  const observe = (value: number) => child.observe(value)
  observers.set(key, observe)
  return observe
}

export const requestDone = (name: string, method: string, status: number, ms: number): void =>
  observer(`${name} ${method} ${status}`, () => durations.labels(name, method, String(status)))(ms / 1000)

export const batchSize = (name: string, domain: string, size: number): void =>
  observer(`size ${name} ${domain}`, () => batchSizes.labels(name, domain))(size)

export const queueLatency = (domain: string, ms: number): void =>
  observer(`latency ${domain}`, () => queueLatencies.labels(domain))(ms / 1000)

export const delivered = (status: number): void => outcomes.labels(String(status)).inc()

/** Asked at each scrape. */
export function measureLag(read: () => Promise<{ topic: string; lag: Map<number, number> }[]>): void {
  const collect = async () => {
    for (const { topic, lag } of await read()) {
      for (const [partition, records] of lag) lags.labels(topic, String(partition)).set(records)
    }
  }
  lagReaders.push(collect)
}

const lagReaders: (() => Promise<void>)[] = []

/** The text of a scrape. A lag that can't be read now is left as it was. */
export async function scrape(): Promise<string> {
  await Promise.allSettled(lagReaders.map((read) => read()))
  return await registry.metrics()
}
