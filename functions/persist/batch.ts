/** An item that waits for the next batch. */
interface Waiting<Item, Result> {
  item: Item
  bytes: number
  resolve(result: Result): void
  reject(error: unknown): void
}

export interface Bounds {
  /** The most items of a batch. */
  maxItems: number
  /** The most items of the next batch, if they are fewer. */
  limit?(): number
  maxBytes: number
  /** The most items that wait and are under way together. Beyond it `add` rejects with `Full`. */
  maxWaiting: number
}

export class Full extends Error {
  override name = 'Full'
}

export interface Batcher<Item, Result> {
  add(item: Item, bytes: number): Promise<Result>
  /** Resolves once nothing waits and nothing is under way. */
  idle(): Promise<void>
}

/**
 * Runs one batch at a time. Items that arrive while it is under way are the next batch. So a batch grows under load and is
 * one item when idle, without a timer. `run` has a result for every item.
 */
export function batcher<Item, Result>(
  bounds: Bounds,
  run: (items: Item[]) => Promise<Map<Item, Result>>,
): Batcher<Item, Result> {
  let queue: Waiting<Item, Result>[] = []
  let underWay = 0
  let idlers: (() => void)[] = []

  function next(): Waiting<Item, Result>[] {
    let bytes = 0
    let count = 0
    const most = Math.min(bounds.maxItems, bounds.limit?.() ?? bounds.maxItems)
    while (count < queue.length && count < most) {
      bytes += queue[count]?.bytes ?? 0
      if (count > 0 && bytes > bounds.maxBytes) break
      count++
    }
    const batch = queue.slice(0, count)
    queue = queue.slice(count)
    return batch
  }

  async function drain() {
    while (queue.length > 0) {
      const batch = next()
      underWay = batch.length
      try {
        const results = await run(batch.map(({ item }) => item))
        for (const entry of batch) {
          const result = results.get(entry.item)
          if (result === undefined) entry.reject(new Error('the batch has no result for it'))
          else entry.resolve(result)
        }
      } catch (error) {
        for (const entry of batch) entry.reject(error)
      }
      underWay = 0
    }
    for (const idler of idlers) idler()
    idlers = []
    draining = false
  }

  let draining = false

  return {
    add(item, bytes) {
      if (queue.length + underWay >= bounds.maxWaiting) return Promise.reject(new Full('too much is waiting'))
      return new Promise((resolve, reject) => {
        queue.push({ item, bytes, resolve, reject })
        if (draining) return
        draining = true
        setImmediate(drain)
      })
    },
    idle: () => (draining ? new Promise((resolve) => idlers.push(resolve)) : Promise.resolve()),
  }
}
