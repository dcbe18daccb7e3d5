import { ADDITIONS, openLoop, TITLES } from './load.ts'
import { percentile } from './percentile.ts'
import { atMost, type Figure } from './report.ts'
import { newSandbox, type Pair } from './sandbox.ts'
import { ours, serve } from './served.ts'

const LOADS = [
  { perSecond: 200, p99: 50 },
  { perSecond: 1000, p99: 100 },
]

interface LatencyRow {
  row: string
  what: string
  request: typeof TITLES
  isAim: boolean
  /** The percentiles for each load. */
  seconds: number
}

/** Row c: the time from the schedule of a request to its 201, which says that its document is stored (Prefer: wait). */
export const latencies = (pairs: Pair[], isQuick: boolean): Promise<Figure[]> =>
  measured(pairs, isQuick, { row: 'c', what: 'request to stored', request: TITLES, isAim: true, seconds: 8 })

/** Row h's latency: the same for sums, which are answered once the event, the document and the total are stored. */
export const decideLatencies = (pairs: Pair[], isQuick: boolean): Promise<Figure[]> =>
  measured(pairs, isQuick, { row: 'h', what: 'sum to stored', request: ADDITIONS, isAim: false, seconds: 4 })

async function measured(
  pairs: Pair[],
  isQuick: boolean,
  { row, what, request, isAim, seconds }: LatencyRow,
): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const pair of pairs) {
    const { env, root } = newSandbox(pair)
    const server = await serve(ours(env, root, 'main/dev.ts'))
    try {
      await openLoop(server.url, 200, isQuick ? 1 : 3, request)
      for (const { perSecond, p99: limit } of LOADS) {
        const times = await openLoop(server.url, perSecond, isQuick ? 2 : seconds, request)
        const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)]
        const name = `${what}, ${pair} pair, ${perSecond.toLocaleString('en')}/s`
        const aim = isAim ? { aim: atMost(p99, limit, ' ms') } : {}
        figures.push({ row, name: `${name}, p50`, value: p50, unit: 'ms' })
        figures.push({ row, name: `${name}, p99`, value: p99, unit: 'ms', ...aim })
      }
    } finally {
      await server.stop()
    }
  }
  return figures
}
