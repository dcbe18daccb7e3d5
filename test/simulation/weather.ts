/** What goes wrong for a while. */
export const WEATHER = [
  /** The store does not answer. */
  'store away',
  /** Every other call to the store is done, or not, and has no answer. */
  'store unsure',
  /** Every other commit meets another one, be it there or not. */
  'conflicts',
  'log away',
  /** Every other append is done, or not, and the log does not say. */
  'log unsure',
  /** Every other answer of persist is lost on its way to the source. */
  'answers lost',
  /** Deliveries go to two processes at once. */
  'zombies',
  /** The dead-letter sink takes nothing. */
  'sink away',
] as const

export type Weather = (typeof WEATHER)[number]

export interface Forecast {
  begin(weather: Weather, ms: number): void
  is(weather: Weather): boolean
  clear(): void
}

export function forecast(now: () => number): Forecast {
  const ends = new Map<Weather, number>()
  return {
    begin: (weather, ms) => void ends.set(weather, Math.max(ends.get(weather) ?? 0, now() + ms)),
    is: (weather) => (ends.get(weather) ?? 0) > now(),
    clear: () => ends.clear(),
  }
}
