import type { Histogram } from 'prom-client'
import type { RequestLabels } from '#core/telemetry.ts'

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
export function requestHistogram(name: string, bounds: number[]) {
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
