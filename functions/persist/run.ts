import { MINUTE_MS } from '#core/clock.ts'
import { crashedRuns, instances } from '#core/collections.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { ApplierParts } from './applier.ts'

/** Longer than the longest pause between two deliveries of one record. */
const RECOVERY_MS = 20 * MINUTE_MS

/** One life of an instance, from its start to its stop or its crash. */
export interface Run {
  id: string
  /** True for a while after a start that found a crash. */
  isRecoveringFromCrash(): Promise<boolean>
  /** The instance stops cleanly: its next start finds no crash. */
  end(): Promise<void>
}

/** Each instance keeps a marker that a clean stop removes. If the next start finds it, the run before crashed. */
export function startRun(instance: string, { store, clock, random }: ApplierParts): Run {
  const id = `${instance}/${clock.now()}/${random().toString(36).slice(2)}`
  let recoveringUntil: Promise<number> | undefined

  async function mark(): Promise<number> {
    const at = new Date(clock.now()).toISOString()
    const marker = { _id: instance, run: id, at }
    const present = await store.insert(instances, [marker])
    if (present.size === 0) return 0
    const before = (await store.get(instances, [instance])).get(instance)?.run
    if (before === id) return 0
    await store.commit([
      { collection: instances, put: [marker] },
      { collection: crashedRuns, put: typeof before === 'string' ? [{ _id: before, at }] : [] },
    ])
    return clock.now() + RECOVERY_MS
  }

  return {
    id,
    async isRecoveringFromCrash() {
      recoveringUntil ??= mark().catch((error) => {
        recoveringUntil = undefined
        throw error
      })
      return clock.now() < (await recoveringUntil)
    },
    async end() {
      if (!recoveringUntil) return
      await store.remove(instances, [instance]).catch((error) => {
        // The next start finds the marker, and counts every attempt for a while.
        if (!(error instanceof Unavailable)) throw error
      })
    },
  }
}
