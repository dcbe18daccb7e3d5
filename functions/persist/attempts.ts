import { randomUUID } from 'node:crypto'
import type { Clock } from '#core/clock.ts'
import { attempts, runs } from '#core/collections.ts'
import type { Store } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document, Fields } from '#domains/domain.ts'
import { retryOnConflict } from './retries.ts'

/** Longer than the longest pause between two deliveries of one record. */
const RECOVERY_MS = 20 * 60_000

/** So many attempts of which nobody knows how they ended count as one that failed. */
const UNKNOWN_TO_ONE = 5

/**
 * Counts how often a command was tried, durably and before the try, because a KafkaSource forgets its own count and a
 * try that crashes the process can't count itself. Counting everything would cost two writes a batch, so the first try
 * of a batch is free, except for a while after a crash: then one of the commands that come back may be its cause.
 *
 * What counts is a try that came back with a fault, and one of a run that is known to have crashed, which its successor finds
 * out. A try that an outage ended leaves its run's name behind, and counts for nothing: the run goes on, or stops as it should.
 */
export interface AttemptCounter {
  isRecoveringFromCrash(): Promise<boolean>
  /** The attempts so far of those that have any that count. */
  before(ids: string[]): Promise<Map<string, number>>
  /** Records an attempt of each before it runs; resolves with its number. Repeating it counts nothing twice. */
  begin(ids: string[]): Promise<Map<string, number>>
  /** This attempt came back with a fault. */
  failed(id: string): Promise<void>
  forget(ids: string[]): Promise<void>
  /** This instance stops as it should: it has not crashed. */
  end(): Promise<void>
}

interface Attempts {
  /** AttemptCounter that came back with a fault. */
  faults: number
  /** Runs that began one which has not come back, as far as is written. */
  begun: string[]
  generation: number
}

export function attemptCounter(store: Store, instance: string, clock: Clock): AttemptCounter {
  const run: string = randomUUID()
  let recoveringUntil: Promise<number> | undefined

  /** The mark of a run that is there still when its instance starts again tells of a crash. */
  async function start(): Promise<number> {
    const at = new Date(clock.now()).toISOString()
    const mark = { _id: instance, run, at }
    const present = await store.insert(runs, [mark])
    if (present.size === 0) return 0
    const before = (await store.get(runs, [instance])).get(instance)?.run
    if (before === run) return 0
    const crashed = typeof before === 'string' ? [{ _id: before, isCrashed: true, at }] : []
    await store.commit([{ collection: runs, put: [mark, ...crashed] }])
    return clock.now() + RECOVERY_MS
  }

  async function read(ids: string[]) {
    const found = await store.get(attempts, ids)
    const all = new Map(ids.map((id) => [id, attemptsOf(found.get(id))]))
    const others = new Set([...all.values()].flatMap(({ begun }) => begun).filter((name) => name !== run))
    const known = others.size > 0 ? await store.get(runs, [...others]) : new Map<string, Document>()
    const countOf = ({ faults, begun }: Attempts): number => {
      const lost = begun.filter((name) => name !== run)
      const crashed = lost.filter((name) => known.get(name)?.isCrashed === true).length
      return faults + crashed + Math.floor((lost.length - crashed) / UNKNOWN_TO_ONE)
    }
    return { all, countOf }
  }

  const write = (changed: Map<string, Attempts>): Promise<void> =>
    store.commit([{ collection: attempts, swap: [...changed].map(([id, made]) => documentOf(id, made)) }])

  return {
    async isRecoveringFromCrash() {
      recoveringUntil ??= start().catch((error) => {
        recoveringUntil = undefined
        throw error
      })
      return clock.now() < (await recoveringUntil)
    },
    async before(ids) {
      const { all, countOf } = await read(ids)
      return new Map([...all].map(([id, made]) => [id, countOf(made)] as const).filter(([, count]) => count > 0))
    },
    begin: (ids) =>
      retryOnConflict(async () => {
        const { all, countOf } = await read(ids)
        const unmarked = [...all].filter(([, { begun }]) => !begun.includes(run))
        const marked = unmarked.map(([id, made]): [string, Attempts] => [id, { ...made, begun: [...made.begun, run] }])
        if (marked.length > 0) await write(new Map(marked))
        return new Map([...all].map(([id, made]) => [id, countOf(made) + 1]))
      }, clock),
    failed: (id) =>
      retryOnConflict(async () => {
        const made = (await read([id])).all.get(id) as Attempts
        if (!made.begun.includes(run)) return
        await write(
          new Map([[id, { ...made, faults: made.faults + 1, begun: made.begun.filter((name) => name !== run) }]]),
        )
      }, clock),
    forget: (ids) => (ids.length > 0 ? store.remove(attempts, ids) : Promise.resolve()),
    async end() {
      if (!recoveringUntil) return
      await store.remove(runs, [instance]).catch((error) => {
        // The next start takes this one for crashed, and counts every attempt for a while.
        if (!(error instanceof Unavailable)) throw error
      })
    },
  }
}

function attemptsOf(document: Document | undefined): Attempts {
  const { faults = 0, begun = [], generation = 0 } = (document ?? {}) as Fields
  return { faults: Number(faults), begun: begun as string[], generation: Number(generation) }
}

const documentOf = (_id: string, { generation, ...made }: Attempts) => ({ _id, ...made, generation: generation + 1 })
