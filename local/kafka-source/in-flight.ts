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

/**
 * The committable offset of a partition: everything before it is finished. Deliveries finish in any order and offsets may
 * have gaps. Only unfinished offsets are stored, so a record that is retried for days costs no memory for the millions of
 * records that overtake it.
 */
export interface OffsetTracker {
  /** Called in the order of reading. An offset smaller than the previous one means that the partition is read again from there. */
  begin(offset: number): void
  finish(offset: number): void
  /** The offset to commit; undefined if it is committed already. */
  ready(): number | undefined
  committed(offset: number): void
}

export function offsetTracker(): OffsetTracker {
  const unfinished = new Set<number>()
  let next: number | undefined
  let done: number | undefined
  return {
    begin(offset) {
      if (next !== undefined && offset < next) {
        unfinished.clear()
        done = undefined
      }
      unfinished.add(offset)
      next = offset + 1
    },
    finish: (offset) => void unfinished.delete(offset),
    ready() {
      const [first] = unfinished
      const offset = first ?? next
      return offset === done ? undefined : offset
    },
    committed(offset) {
      done = offset
    },
  }
}
