import type { Histogram } from 'prom-client'

interface Series {
  function: string
  method: string
  route: string
  /** A number of HTTP, or the name of gRPC's code. */
  status: number | string
  /** By bucket; the last one is for all that took longer. */
  counts: number[]
  sum: number
}

/**
 * The histogram of requests, kept by hand: prom-client builds and hashes a string of the labels at each observation, which
 * costs a request as much as all the rest of its telemetry together. There are few series, so a look through them is cheap.
 */
export function requestHistogram(name: string, bounds: number[]) {
  const all: Series[] = []

  /** `route` is the pattern that matched, never the path: a label has few values. */
  function observe(of: string, method: string, route: string, status: number | string, ms: number): void {
    let series = all.find(
      (one) => one.status === status && one.route === route && one.function === of && one.method === method,
    )
    if (!series) {
      series = { function: of, method, route, status, counts: new Array(bounds.length + 1).fill(0), sum: 0 }
      all.push(series)
    }
    const seconds = ms / 1000
    let bucket = 0
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++
    series.counts[bucket] = (series.counts[bucket] as number) + 1
    series.sum += seconds
  }

  function* values() {
    for (const { counts, sum, ...labels } of all) {
      let count = 0
      for (const [bucket, more] of counts.entries()) {
        count += more
        yield { metricName: `${name}_bucket`, labels: { le: bounds[bucket] ?? '+Inf', ...labels }, value: count }
      }
      yield { metricName: `${name}_sum`, labels, value: sum }
      yield { metricName: `${name}_count`, labels, value: count }
    }
  }

  const help = 'Time from the head of a request to the end of its answer; its count is the number of requests'
  const get = async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: [...values()] })
  /** As much of a metric as a registry asks for. */
  const metric = { name, help, get } as unknown as Histogram
  return { observe, metric }
}
