/** The faults that last for a while. */
export const BACKGROUND_FAULTS = [
  /** The store does not respond. */
  'store unavailable',
  /** Every other call to the store has no response, whether it was executed or not. */
  'store ambiguous',
  /** Every other commit fails with a conflict, even without one. */
  'conflicts',
  'log unavailable',
  /** Every other append has no response, whether it was executed or not. */
  'log ambiguous',
  /** Every other response of persist is lost on its way to the source. */
  'responses lost',
  /** Deliveries go to two processes at once. */
  'zombies',
  /** The dead-letter sink accepts nothing. */
  'sink unavailable',
] as const

export type BackgroundFault = (typeof BACKGROUND_FAULTS)[number]

export interface BackgroundFaults {
  begin(fault: BackgroundFault, ms: number): void
  isActive(fault: BackgroundFault): boolean
  clear(): void
}

export function backgroundFaults(now: () => number): BackgroundFaults {
  const ends = new Map<BackgroundFault, number>()
  return {
    begin: (fault, ms) => void ends.set(fault, Math.max(ends.get(fault) ?? 0, now() + ms)),
    isActive: (fault) => (ends.get(fault) ?? 0) > now(),
    clear: () => ends.clear(),
  }
}
