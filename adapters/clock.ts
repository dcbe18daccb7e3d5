import { setTimeout } from 'node:timers/promises'

/** Time as it passes; tests bring one that they turn by hand. */
export interface Clock {
  now(): number
  /** Resolves after `ms`, or as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: Date.now,
  sleep: (ms, signal) => setTimeout(ms, undefined, { signal, ref: true }).catch(() => undefined),
}
