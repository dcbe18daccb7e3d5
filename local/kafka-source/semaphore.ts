/** A counting semaphore; waiters get their permits first come, first served. */
export interface Semaphore {
  /** Returns undefined if a permit is free, else a promise of one. */
  acquire(): Promise<void> | undefined
  release(): void
}

export function semaphore(permits: number): Semaphore {
  const waiting: (() => void)[] = []
  let free = permits
  return {
    acquire() {
      if (free === 0) return new Promise((resolve) => waiting.push(resolve))
      free--
      return undefined
    },
    release() {
      const next = waiting.shift()
      if (next) next()
      else free++
    },
  }
}
