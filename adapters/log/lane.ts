import { alarm, type Clock } from '#core/clock.ts'
import { exponential, retry } from '#core/retry.ts'
import { Unavailable } from '#core/unavailable.ts'
import { lingering } from './linger.ts'

export interface LaneOptions<Item> {
  /** Sends to this lane's partition. Resolves with the offset of the first item. */
  send(items: Item[]): Promise<number>
  bytesOf(item: Item): number
  maxBytes: number
  /** True when the items themselves are at fault, so that a repeat fails too. */
  isTheirFault(error: unknown): boolean
  clock: Clock
  onRetry?(error: unknown): void
}

export interface Lane<Item> {
  /**
   * Resolves with the item's offset. Rejects with `Unavailable` at the deadline. Without `mayBeWritten` the item has left the
   * lane. With it the item is in a send whose outcome is unknown, and only that send may still write it.
   */
  append(item: Item, deadline: number): Promise<number>
  /** Resolves once every append is settled. A send whose appends are all settled is given up. */
  close(): Promise<void>
}

interface Append<Item> {
  item: Item
  deadline: number
  isSettled: boolean
  resolve(offset: number): void
  reject(error: unknown): void
}

const backoff = exponential(50, 1000)

/**
 * Sends to one partition, one send at a time: the only way in which kafkajs loses no acknowledged items. Items that arrive
 * during a send, and in the pause that a busy lane makes after it, go out together in the next one. A send that fails is repeated
 * with the identical items until it is settled. Continuing as if it had not been sent could lose acknowledged items behind it.
 */
export function lane<Item>({ send, bytesOf, maxBytes, isTheirFault, clock, onRetry }: LaneOptions<Item>): Lane<Item> {
  let queue: Append<Item>[] = []
  let sending: Append<Item>[] = []
  let isRunning = false
  let unsettled = 0
  let allSettled = () => {}
  const closed = new AbortController()
  const linger = lingering(clock)

  async function run(): Promise<void> {
    while (queue.length > 0) {
      sending = queue.splice(0, batchSize(queue, bytesOf, maxBytes))
      const [sent, began] = [sending.length, clock.now()]
      await sendUntilSettled(sending)
      sending = []
      await linger.after({ sent, waiting: queue.length, tookMs: clock.now() - began })
    }
    isRunning = false
  }

  async function sendUntilSettled(batch: Append<Item>[]): Promise<void> {
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
      for (const [index, append] of batch.entries()) settle(append, () => append.resolve(offset + index))
    } catch (error) {
      if (isTheirFault(error)) await isolate(batch, error)
    }
  }

  /** Halves the batch until the item at fault is alone. */
  async function isolate(batch: Append<Item>[], error: unknown): Promise<void> {
    const [only] = batch
    if (only && batch.length === 1) return settle(only, () => only.reject(error))
    const half = Math.ceil(batch.length / 2)
    await sendUntilSettled(batch.slice(0, half))
    await sendUntilSettled(batch.slice(half))
  }

  function settle(append: Append<Item>, how: () => void): void {
    if (append.isSettled) return
    append.isSettled = true
    how()
    if (--unsettled === 0) allSettled()
  }

  /** Rejects every append whose deadline has passed. Returns the earliest remaining deadline. */
  const late = alarm(clock, (now) => {
    for (const append of sending) if (append.deadline <= now) settle(append, () => append.reject(outOfTime(true)))
    const gone = queue.filter(({ deadline }) => deadline <= now)
    if (gone.length > 0) queue = queue.filter(({ deadline }) => deadline > now)
    for (const append of gone) settle(append, () => append.reject(outOfTime(false)))
    return earliestDeadline([...sending, ...queue])
  })

  return {
    append(item, deadline) {
      return new Promise((resolve, reject) => {
        queue.push({ item, deadline, isSettled: false, resolve, reject })
        unsettled++
        if (!isRunning) {
          isRunning = true
          setImmediate(run)
        }
        linger.endIfEnough(queue.length)
        late.set(deadline)
      })
    },
    async close() {
      if (unsettled > 0) {
        await new Promise<void>((resolve) => {
          allSettled = resolve
        })
      }
      closed.abort()
      linger.stop()
      late.stop()
    },
  }
}

/** The number of items that fit into the next send: at least one. */
function batchSize<Item>(queue: Append<Item>[], bytesOf: (item: Item) => number, maxBytes: number): number {
  let bytes = 0
  let count = 0
  for (const { item } of queue) {
    bytes += bytesOf(item)
    if (count > 0 && bytes > maxBytes) break
    count++
  }
  return count
}

function earliestDeadline<Item>(appends: Append<Item>[]): number | undefined {
  let earliest: number | undefined
  for (const { isSettled, deadline } of appends) {
    if (!isSettled && (earliest === undefined || deadline < earliest)) earliest = deadline
  }
  return earliest
}

const outOfTime = (mayBeWritten: boolean): Unavailable =>
  new Unavailable('log', mayBeWritten ? 'no answer from the brokers in time' : 'the brokers can not be reached', {
    mayBeWritten,
  })
