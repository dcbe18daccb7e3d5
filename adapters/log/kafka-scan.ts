import { randomUUID } from 'node:crypto'
import type { EachBatchPayload, Kafka } from 'kafkajs'
import { MINUTE_MS, systemClock } from '#core/clock.ts'
import type { LogRecord } from '#core/log.ts'
import { asUnavailable, connected, isCoordinatorMoving } from './kafka-errors.ts'
import { toRecord } from './kafka-record.ts'

const RETRY_MS = 500
const COORDINATOR_WITHIN_MS = MINUTE_MS

/** The offsets that each partition still has to read: from `next` to before `end`. */
type Remaining = Map<number, { next: number; end: number }>

/** Reads each partition to its end. Waits while the coordinator of the group moves. */
export async function* scanTopic(kafka: Kafka, topic: string, remaining: Remaining): AsyncGenerator<LogRecord> {
  const deadline = Date.now() + COORDINATOR_WITHIN_MS
  while (remaining.size > 0) {
    try {
      yield* readRemaining(kafka, topic, remaining)
    } catch (error) {
      if (!isCoordinatorMoving(error) || Date.now() > deadline) throw asUnavailable(error)
      await systemClock.sleep(RETRY_MS)
    }
  }
}

/** Reads with a consumer group of its own and deletes that group afterwards. Removes from `remaining` what it yields. */
async function* readRemaining(kafka: Kafka, topic: string, remaining: Remaining): AsyncGenerator<LogRecord> {
  const groupId = `millrace-scan-${randomUUID()}`
  const retry = { retries: 5, initialRetryTime: 100, maxRetryTime: 1000, restartOnFailure: async () => false }
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false, retry })
  const handover = batchHandover(remaining)
  consumer.on(consumer.events.CRASH, ({ payload }) => handover.fail(payload.error))
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ autoCommit: false, eachBatch: handover.put })
    handover.throwIfFailed()
    for (const [partition, { next }] of remaining) consumer.seek({ topic, partition, offset: String(next) })
    yield* handover.records()
  } finally {
    handover.release()
    await consumer.disconnect().catch(() => undefined)
    await deleteGroup(kafka, groupId).catch(() => undefined)
  }
}

/** Passes batches from kafkajs's loop to a generator. The loop waits until the generator has taken each batch. */
function batchHandover(remaining: Remaining) {
  let records: LogRecord[] = []
  let failure: Error | undefined
  let wake = () => {}
  let release = () => {}

  function throwIfFailed(): void {
    if (failure) throw failure
  }

  return {
    throwIfFailed,
    release: () => release(),
    fail(error: Error) {
      failure = error
      wake()
    },
    async put({ batch: { partition, messages } }: EachBatchPayload): Promise<void> {
      const position = remaining.get(partition)
      if (!position) return
      const { next, end } = position
      for (const message of messages) {
        const record = toRecord(partition, message)
        if (record.offset >= next && record.offset < end) records.push(record)
      }
      position.next = Math.max(next, Number(messages.at(-1)?.offset) + 1)
      if (position.next >= end) remaining.delete(partition)
      if (records.length === 0) return wake()
      await new Promise<void>((resolve) => {
        release = resolve
        wake()
      })
    },
    async *records(): AsyncGenerator<LogRecord> {
      while (remaining.size > 0 || records.length > 0) {
        const batch = records
        records = []
        release()
        yield* batch
        if (records.length > 0 || remaining.size === 0) continue
        throwIfFailed()
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

async function deleteGroup(kafka: Kafka, groupId: string): Promise<void> {
  const admin = await connected(kafka.admin())
  await admin.deleteGroups([groupId]).finally(() => admin.disconnect())
}
