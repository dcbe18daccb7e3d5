/** Room for so many at a time; who finds none waits, first come first served. */
export interface Slots {
  take(): Promise<void> | undefined
  free(): void
}

export function slots(count: number): Slots {
  const waiting: (() => void)[] = []
  let left = count
  return {
    take() {
      if (left === 0) return new Promise((resolve) => waiting.push(resolve))
      left--
      return undefined
    },
    free() {
      const next = waiting.shift()
      if (next) next()
      else left++
    },
  }
}
