import { randomUUID } from 'node:crypto'
import type { Kafka, Consumer as KafkaConsumer, KafkaMessage } from 'kafkajs'
import { systemClock } from '../clock.ts'
import { connected } from './kafka-errors.ts'
import type { ConsumeOptions, Consumer, LogRecord } from './log.ts'

const HEARTBEAT_MS = 2000
/** How long a member that died unseen keeps its partitions: as long as the real dispatcher. */
const SESSION_MS = 10_000
const RESTART_MS = 1000

/** A consumer that goes on for ever: kafkajs gives up on some errors, this does not. */
export async function consuming(
  kafka: Kafka,
  { topic, group, initialOffset, maxRecords, onError = () => {} }: ConsumeOptions,
  take: (records: LogRecord[]) => Promise<void>,
): Promise<Consumer> {
  let current: KafkaConsumer
  let closed = false

  async function start(): Promise<void> {
    current = kafka.consumer({
      groupId: group,
      maxWaitTimeInMs: 200,
      heartbeatInterval: HEARTBEAT_MS,
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: SESSION_MS,
      allowAutoTopicCreation: false,
      retry: { retries: 10, restartOnFailure: async () => true },
    })
    const consumer = current
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      onError(payload.error)
      if (!payload.restart && !closed) void restart(consumer)
    })
    const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: initialOffset === 'earliest' })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 64,
      async eachBatch({ batch, heartbeat, resolveOffset, isRunning, isStale }) {
        for (let at = 0; at < batch.messages.length; at += maxRecords) {
          if (!isRunning() || isStale() || closed) return
          const records = batch.messages.slice(at, at + maxRecords).map((message) => recordOf(batch.partition, message))
          await beating(heartbeat, take(records))
          resolveOffset(String(records.at(-1)?.offset))
        }
      },
    })
    await joined
  }

  async function restart(broken: KafkaConsumer): Promise<void> {
    await broken.disconnect().catch(() => undefined)
    while (!closed) {
      try {
        return await start()
      } catch (error) {
        onError(error as Error)
        await systemClock.sleep(RESTART_MS)
      }
    }
  }

  await start()
  return {
    commit: (partition, offset) => current.commitOffsets([{ topic, partition, offset: String(offset) }]),
    async close() {
      closed = true
      await current.disconnect()
    },
  }
}

/** The group must hear from a member however long a delivery takes. A failed heartbeat means that the partition is lost. */
async function beating(heartbeat: () => Promise<void>, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const lost = new Promise<never>((_, reject) => {
    timer = setInterval(() => heartbeat().catch(reject), HEARTBEAT_MS)
  })
  try {
    await Promise.race([work, lost])
  } finally {
    clearInterval(timer)
  }
}

/** Reads each partition to its end with a consumer group of its own, which is removed afterwards. */
export async function* scanning(
  kafka: Kafka,
  topic: string,
  open: { partition: number; start: number; end: number }[],
): AsyncGenerator<LogRecord> {
  const groupId = `millrace-scan-${randomUUID()}`
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false })
  const left = new Map(open.map(({ partition, end }) => [partition, end]))
  let records: LogRecord[] = []
  let wake = () => {}
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      async eachBatch({ batch: { partition, messages } }) {
        const end = left.get(partition)
        if (end === undefined) return
        const read = messages.map((message) => recordOf(partition, message))
        records.push(...read.filter(({ offset }) => offset < end))
        if (Number(messages.at(-1)?.offset) >= end - 1) left.delete(partition)
        wake()
      },
    })
    for (const { partition, start } of open) consumer.seek({ topic, partition, offset: String(start) })
    while (left.size > 0 || records.length > 0) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      const batch = records
      records = []
      yield* batch
      if (records.length === 0 && left.size > 0) await woken
    }
  } finally {
    await consumer.disconnect()
    const admin = await connected(kafka.admin())
    await admin.deleteGroups([groupId]).catch(() => undefined)
    await admin.disconnect()
  }
}

function recordOf(partition: number, { offset, timestamp, key, value, headers = {} }: KafkaMessage): LogRecord {
  return {
    partition,
    offset: Number(offset),
    time: Number(timestamp),
    key,
    value,
    headers: Object.entries(headers).flatMap(([name, given]) =>
      [given ?? ''].flat().map((one): [string, Buffer] => [name, Buffer.from(one as string)]),
    ),
  }
}
