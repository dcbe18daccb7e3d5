import type { Clock } from '#core/clock.ts'
import { Unavailable } from '#core/unavailable.ts'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1000

/** Repeats `work` through an outage until `deadline`; a fault is nobody's outage and passes at once. */
export async function held<Result>(work: () => Promise<Result>, deadline: number, clock: Clock): Promise<Result> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Unavailable) || clock.now() + pause >= deadline) throw error
      await clock.sleep(pause)
    }
  }
}
