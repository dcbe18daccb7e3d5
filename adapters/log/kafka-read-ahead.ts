import type { EachBatchPayload } from 'kafkajs'
import type { Clock } from '#core/clock.ts'
import type { ConsumeOptions, LogRecord } from '#core/log.ts'
import { sizeOf, toRecord } from './kafka-record.ts'

const RETRY_MS = 500
/** The bytes to read ahead of each partition; one fetch may add as much as it takes. */
const AHEAD_BYTES = 512 * 1024
/**
 * The bytes of one fetch from a broker. kafkajs decodes a fetch in one turn of the event loop, so a large fetch delays other work. A decoded
 * record takes several times its bytes.
 */
export const FETCH = { maxBytes: 512 * 1024, maxBytesPerPartition: 256 * 1024 }

export interface ReadAheadOptions extends Pick<ConsumeOptions, 'maxRecords'> {
  take(records: LogRecord[]): Promise<void>
  onError(error: Error): void
  clock: Clock
  /** The assigned partitions: a new set after each rebalance. */
  assigned(): ReadonlySet<number>
  isStopped(): boolean
}

export interface ReadAhead {
  /** `eachBatch` of kafkajs. Returns at once. */
  add(payload: EachBatchPayload): Promise<void>
  /** Resolves once no call of `take` is running. */
  settled(): Promise<void>
}

/** The fetched records of a partition that `take` has not finished. */
interface Queue {
  /** The assignment that the records belong to. They end with it, because the next assignment fetches them again. */
  assignment: ReadonlySet<number>
  records: LogRecord[]
  bytes: number
  resume: (() => void) | undefined
  /** Resolves once the queue is empty or its assignment is over. */
  taking: Promise<void>
}

/**
 * Queues the batches of each partition and passes them to `take` outside kafkajs's loop, and pauses a partition while its
 * queue is full.
 *
 * kafkajs fetches nothing from a broker while a batch of that broker is being processed, and sends no heartbeats then.
 * While all partitions of a broker are paused, its loop sleeps.
 */
export function readAhead({ take, maxRecords, onError, clock, assigned, isStopped }: ReadAheadOptions): ReadAhead {
  /** By partition. `take` never runs twice at once for a partition, also after a rebalance. */
  const queues = new Map<number, Queue>()

  function queueOf(partition: number): Queue {
    const known = queues.get(partition)
    if (known?.assignment === assigned()) return known
    const queue = {
      assignment: assigned(),
      records: [],
      bytes: 0,
      resume: undefined,
      taking: known?.taking ?? Promise.resolve(),
    }
    queues.set(partition, queue)
    return queue
  }

  async function takeAll(partition: number, queue: Queue): Promise<void> {
    const isOver = () => isStopped() || queue.assignment !== assigned() || !assigned().has(partition)
    while (queue.records.length > 0 && !isOver()) {
      const records = queue.records.slice(0, maxRecords)
      try {
        await take(records)
      } catch (error) {
        onError(error as Error)
        await clock.sleep(RETRY_MS)
        continue
      }
      queue.records.splice(0, records.length)
      for (const record of records) queue.bytes -= sizeOf(record)
      if (queue.bytes <= AHEAD_BYTES / 2) resume(queue)
    }
    queue.records = []
    resume(queue)
  }

  function resume(queue: Queue): void {
    queue.resume?.()
    queue.resume = undefined
  }

  return {
    async add({ batch, pause, resolveOffset }) {
      const { partition, messages } = batch
      const queue = queueOf(partition)
      for (const message of messages) {
        const record = toRecord(partition, message)
        queue.records.push(record)
        queue.bytes += sizeOf(record)
      }
      resolveOffset(batch.lastOffset())
      if (queue.bytes > AHEAD_BYTES) queue.resume = pause()
      if (queue.records.length === messages.length) queue.taking = queue.taking.then(() => takeAll(partition, queue))
    },
    async settled() {
      await Promise.all([...queues.values()].map(({ taking }) => taking))
    },
  }
}
