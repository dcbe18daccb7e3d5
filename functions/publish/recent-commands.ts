import { type Clock, HOUR_MS } from '#core/clock.ts'
import type { Metrics } from '#core/telemetry.ts'

const MOST = 10_000
const FOR_MS = HOUR_MS

/**
 * What succeeded is answered again from memory, for an hour and as long as it is among the last ten thousand; who asks
 * while it is being made shares the answer. A failure is not kept.
 */
export function recentCommands<Answer>(clock: Clock, metrics: Pick<Metrics, 'repeated'>) {
  const known = new Map<string, { since: number; answer: Promise<Answer> }>()
  return function dedupe(key: string, make: () => Promise<Answer>): Promise<Answer> {
    const now = clock.now()
    const found = known.get(key)
    if (found && now - found.since < FOR_MS) {
      metrics.repeated()
      return found.answer
    }
    known.delete(key)
    const [oldest = ''] = known.keys()
    if (known.size === MOST) known.delete(oldest)
    const entry = { since: now, answer: make() }
    known.set(key, entry)
    entry.answer.catch(() => known.get(key) === entry && known.delete(key))
    return entry.answer
  }
}
