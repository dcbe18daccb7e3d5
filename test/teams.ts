import type { Store } from '#core/store.ts'
import type { DecideDomain, View } from '#domains/domain.ts'
import { count, counting, start, world } from './counting.ts'

export const teams = { name: 'teams', indexes: { sum: { fields: ['sum'] } } }

/** Counts by the first letter of their counter, and by that of each word in it. A count of 7 has a bug while `world.isBroken`. */
export const ofTeams: View = {
  collection: teams,
  zero: { counts: 0, sum: 0 },
  isSlotted: false,
  keys: ({ data }) =>
    String(data.counter)
      .split('-')
      .map(([letter = '']) => letter),
  fold({ counts, sum }, { data }) {
    if (data.by === 7 && world.isBroken) throw new Error('bad luck in a view')
    return { counts: Number(counts) + 1, sum: Number(sum) + Number(data.by) }
  },
}

export const withTeams: DecideDomain = {
  ...counting,
  ordering: 'unordered',
  views: [...(counting.views ?? []), ofTeams],
}

/** Two instances get the same hundred commands, each of its own stream, all of one team. */
export async function compete(store: Partial<Store>): Promise<void> {
  const [one, two] = [start(store, 'pod-1', withTeams), start(store, 'pod-2', withTeams)]
  const sent = Array.from({ length: 100 }, (_, n) => count(`${n}`, `a${n}`, 1))
  for (let from = 0; from < sent.length; from += 10) {
    const part = sent.slice(from, from + 10)
    await Promise.all(part.map((event, n) => untilApplied(() => (n % 2 ? one : two).persist(event))))
  }
}

/** A KafkaSource repeats what is answered 503. */
async function untilApplied(deliver: () => Promise<{ status: number }>): Promise<void> {
  for (let tries = 0; tries < 50; tries++) if ((await deliver()).status === 204) return
  throw new Error('it was never applied')
}
