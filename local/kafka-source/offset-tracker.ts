/**
 * Which offset of a partition may be committed: the one before which everything is finished. Deliveries finish in any
 * order and offsets may have gaps; only what is unfinished is remembered, so that one record that is retried for days
 * costs no memory for the millions that overtake it.
 */
export interface Offsets {
  /** In the order of reading. A smaller offset than before means that the partition is read again from there. */
  begin(offset: number): void
  finish(offset: number): void
  /** The offset to commit, if it isn't committed yet. */
  ready(): number | undefined
  committed(offset: number): void
}

export function offsets(): Offsets {
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
