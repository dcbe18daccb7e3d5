import { BoundedMap } from '#core/bounded-map.ts'
import { type Clock, HOUR_MS } from '#core/clock.ts'
import type { Metrics } from '#core/telemetry.ts'

const MAX_COMMANDS = 10_000

/**
 * Returns a function that appends a command once and answers its repeats from memory: for an hour, and while it is among the last
 * 10,000 commands. Repeats that arrive during the append share its result. A failure is forgotten.
 */
export function recentCommands<Result>(clock: Clock, metrics: Pick<Metrics, 'repeated'>) {
  const results = new BoundedMap<Promise<Result>>(MAX_COMMANDS)
  return function dedupe(key: string, append: () => Promise<Result>): Promise<Result> {
    const now = clock.now()
    const known = results.get(key, now)
    if (known) {
      metrics.repeated()
      return known
    }
    const result = append()
    results.set(key, result, now + HOUR_MS)
    result.catch(() => results.delete(key, result))
    return result
  }
}
