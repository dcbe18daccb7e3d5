import { openLoop, percentile } from './load.ts'
import { newPlace, type Pair } from './place.ts'
import { atMost, type Figure } from './report.ts'
import { ours, serve } from './served.ts'

const LOADS = [
  { perSecond: 200, p99: 50 },
  { perSecond: 1000, p99: 100 },
]

/** Row c: from when a client's request was due to its 201, which says that its document is stored (Prefer: wait). */
export async function latencies(pairs: Pair[], isQuick: boolean): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const pair of pairs) {
    const { env, root } = newPlace(pair)
    const server = await serve(ours(env, root, 'functions/dev.ts'))
    try {
      await openLoop(server.url, 200, isQuick ? 1 : 3)
      for (const { perSecond, p99: aim } of LOADS) {
        const times = await openLoop(server.url, perSecond, isQuick ? 2 : 8)
        const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)]
        const name = `request to stored, ${pair} pair, ${perSecond.toLocaleString('en')}/s`
        figures.push({ row: 'c', name: `${name}, p50`, value: p50, unit: 'ms' })
        figures.push({ row: 'c', name: `${name}, p99`, value: p99, unit: 'ms', aim: atMost(p99, aim, ' ms') })
      }
    } finally {
      await server.stop()
    }
  }
  return figures
}
