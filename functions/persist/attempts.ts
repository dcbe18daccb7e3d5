import { attempts, crashedRuns } from '#core/collections.ts'
import { retryOnConflict } from '#core/retry.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document, Fields } from '#domains/domain.ts'
import type { ApplierParts } from './applier.ts'

/** So many attempts with an unknown end count as one that failed. */
const UNKNOWN_TO_ONE = 5

/**
 * Counts how often a command was tried, durably and before the attempt, because a KafkaSource forgets its own count and an
 * attempt that crashes the process can't count itself. Counting everything would cost two writes a batch, so the first
 * attempt of a batch is free, except for a while after a crash: then a command that comes back may be its cause.
 *
 * An attempt counts when it ended with a fault, or when its run is known to have crashed, which the next run records.
 * An attempt that an outage ended leaves its run's id behind and does not count: the run goes on, or stops cleanly.
 */
export interface AttemptCounter {
  /** The attempts so far of those ids that have any that count. */
  before(ids: string[]): Promise<Map<string, number>>
  /** Records an attempt of each before it runs; resolves with its number. Repeating it counts nothing twice. */
  begin(ids: string[]): Promise<Map<string, number>>
  /** Records that the attempt came back with a fault. */
  failed(id: string): Promise<void>
  /** Removes the counts. Counts left by an outage expire. Until then their commands are only applied one by one. */
  forget(ids: string[]): Promise<void>
}

interface Attempts {
  /** Attempts that came back with a fault. */
  faults: number
  /** Runs that began one which has not come back, as far as is written. */
  begun: string[]
  generation: number
}

export function attemptCounter(run: string, parts: ApplierParts): AttemptCounter {
  const { store } = parts

  async function read(ids: string[]): Promise<Map<string, Attempts>> {
    const found = await store.get(attempts, ids)
    return new Map(ids.map((id) => [id, attemptsOf(found.get(id))]))
  }

  async function countsOf(all: Map<string, Attempts>): Promise<Map<string, number>> {
    const others = new Set([...all.values()].flatMap(({ begun }) => begun).filter((name) => name !== run))
    const crashed = others.size > 0 ? await store.get(crashedRuns, [...others]) : new Map<string, Document>()
    return new Map([...all].map(([id, made]) => [id, countOf(made, run, crashed)]))
  }

  const write = (changed: [string, Attempts][]): Promise<void> =>
    store.commit([{ collection: attempts, swap: changed.map(([id, made]) => documentOf(id, made)) }])

  return {
    async before(ids) {
      const counts = await countsOf(await read(ids))
      return new Map([...counts].filter(([, count]) => count > 0))
    },
    begin: (ids) =>
      retryOnConflict(async () => {
        const all = await read(ids)
        const counts = await countsOf(all)
        const unmarked = [...all].filter(([, { begun }]) => !begun.includes(run))
        if (unmarked.length > 0) {
          await write(unmarked.map(([id, made]) => [id, { ...made, begun: [...made.begun, run] }]))
        }
        return new Map([...counts].map(([id, count]) => [id, count + 1]))
      }, parts),
    failed: (id) =>
      retryOnConflict(async () => {
        const made = (await read([id])).get(id)
        if (!made?.begun.includes(run)) return
        const begun = made.begun.filter((name) => name !== run)
        await write([[id, { ...made, faults: made.faults + 1, begun }]])
      }, parts),
    async forget(ids) {
      if (ids.length === 0) return
      await store.remove(attempts, ids).catch((error) => {
        if (!(error instanceof Unavailable)) throw error
      })
    },
  }
}

function countOf({ faults, begun }: Attempts, run: string, crashedRuns: ReadonlyMap<string, Document>): number {
  const lost = begun.filter((name) => name !== run)
  const crashed = lost.filter((name) => crashedRuns.has(name)).length
  return faults + crashed + Math.floor((lost.length - crashed) / UNKNOWN_TO_ONE)
}

function attemptsOf(document: Document | undefined): Attempts {
  const { faults = 0, begun = [], generation = 0 } = (document ?? {}) as Fields
  return { faults: Number(faults), begun: begun as string[], generation: Number(generation) }
}

const documentOf = (_id: string, { generation, ...made }: Attempts) => ({ _id, ...made, generation: generation + 1 })
