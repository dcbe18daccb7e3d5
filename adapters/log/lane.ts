import { alarm } from '#core/alarm.ts'
import type { Clock } from '#core/clock.ts'
import { exponential, retry } from '#core/retry.ts'
import { Unavailable } from '#core/unavailable.ts'

export interface LaneOptions<Item> {
  /** Sends to this lane's partition and resolves with the offset of the first item. */
  send(items: Item[]): Promise<number>
  bytesOf(item: Item): number
  maxBytes: number
  /** Whether the items themselves are at fault, so that sending them again is no use. */
  isTheirFault(error: unknown): boolean
  clock: Clock
  onRetry?(error: unknown): void
}

export interface Lane<Item> {
  /**
   * Resolves with the item's offset. Rejects with `Unavailable` at the deadline: not handed over, the item has left the
   * lane; handed over, it is in a send whose end is not known yet, and only that send may still write it.
   */
  append(item: Item, deadline: number): Promise<number>
  /** Resolves once every caller has its answer; a send whose callers all have theirs is given up. */
  close(): Promise<void>
}

interface Entry<Item> {
  item: Item
  deadline: number
  isAnswered: boolean
  resolve(offset: number): void
  reject(error: unknown): void
}

const backoff = exponential(50, 1000)

/**
 * The one way in which kafkajs loses nothing: one send in flight for a partition, for that partition only. What arrives
 * meanwhile goes out together in the next one. A send that fails is repeated with the identical items until it is
 * settled: going on as if it had not been sent could lose acknowledged items behind it.
 */
export function lane<Item>({ send, bytesOf, maxBytes, isTheirFault, clock, onRetry }: LaneOptions<Item>): Lane<Item> {
  let queue: Entry<Item>[] = []
  let sending: Entry<Item>[] = []
  let isRunning = false
  let unanswered = 0
  let allAnswered = () => {}
  const closed = new AbortController()

  function next(): Entry<Item>[] {
    let bytes = 0
    let count = 0
    for (const { item } of queue) {
      bytes += bytesOf(item)
      if (count > 0 && bytes > maxBytes) break
      count++
    }
    const batch = queue.slice(0, count)
    queue = queue.slice(count)
    return batch
  }

  async function run(): Promise<void> {
    while (queue.length > 0) {
      sending = next()
      await settle(sending)
      sending = []
    }
    isRunning = false
  }

  async function settle(batch: Entry<Item>[]): Promise<void> {
    if (closed.signal.aborted) return
    const items = batch.map(({ item }) => item)
    try {
      const offset = await retry(() => send(items), {
        clock,
        when: (error) => !isTheirFault(error),
        pause: (attempts) => backoff(attempts) * (0.5 + Math.random() / 2),
        signal: closed.signal,
        ...(onRetry ? { onRetry } : {}),
      })
      for (const [index, entry] of batch.entries()) answer(entry, () => entry.resolve(offset + index))
    } catch (error) {
      if (isTheirFault(error)) await blame(batch, error)
    }
  }

  /** Halves until the item at fault is alone. */
  async function blame(batch: Entry<Item>[], error: unknown): Promise<void> {
    const [only] = batch
    if (only && batch.length === 1) return answer(only, () => only.reject(error))
    const half = Math.ceil(batch.length / 2)
    await settle(batch.slice(0, half))
    await settle(batch.slice(half))
  }

  function answer(entry: Entry<Item>, how: () => void): void {
    if (entry.isAnswered) return
    entry.isAnswered = true
    how()
    if (--unanswered === 0) allAnswered()
  }

  /** Rejects every entry whose deadline has passed; the earliest deadline that is left. */
  const late = alarm(clock, (now) => {
    for (const entry of sending) if (entry.deadline <= now) answer(entry, () => entry.reject(outOfTime(true)))
    const gone = queue.filter(({ deadline }) => deadline <= now)
    if (gone.length > 0) queue = queue.filter(({ deadline }) => deadline > now)
    for (const entry of gone) answer(entry, () => entry.reject(outOfTime(false)))
    let next: number | undefined
    for (const { isAnswered, deadline } of [...sending, ...queue]) {
      if (!isAnswered && (next === undefined || deadline < next)) next = deadline
    }
    return next
  })

  return {
    append(item, deadline) {
      return new Promise((resolve, reject) => {
        queue.push({ item, deadline, isAnswered: false, resolve, reject })
        unanswered++
        if (!isRunning) {
          isRunning = true
          setImmediate(run)
        }
        late.set(deadline)
      })
    },
    async close() {
      if (unanswered > 0) {
        await new Promise<void>((resolve) => {
          allAnswered = resolve
        })
      }
      closed.abort()
      late.stop()
    },
  }
}

const outOfTime = (handedOver: boolean): Unavailable =>
  new Unavailable('log', handedOver ? 'no answer from the brokers in time' : 'the brokers can not be reached', {
    handedOver,
  })
