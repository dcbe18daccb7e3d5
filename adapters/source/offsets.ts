/**
 * Which offset of a partition may be committed: the one behind the last record before which everything is finished.
 * Deliveries finish in any order; offsets may have gaps.
 */
export interface Offsets {
  begin(offset: number): void
  finish(offset: number): void
  /** The next offset to read, if it moved since it was last taken. */
  take(): number | undefined
}

export function offsets(): Offsets {
  /** In the order of reading. */
  const underWay = new Map<number, boolean>()
  let next: number | undefined
  return {
    begin: (offset) => void underWay.set(offset, false),
    finish: (offset) => void underWay.set(offset, true),
    take() {
      for (const [offset, isFinished] of underWay) {
        if (!isFinished) break
        underWay.delete(offset)
        next = offset + 1
      }
      const taken = next
      next = undefined
      return taken
    },
  }
}
