import '#adapters/log/kafka-timers.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'

const PAUSE_MS = 1_000

/** Resolves once every partition has all of its replicas in sync. */
export async function untilInSync(brokers: string[], withinMs: number): Promise<void> {
  const kafka = new kafkajs.Kafka({ clientId: 'smoke', brokers, logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  try {
    const deadline = Date.now() + withinMs
    for (;;) {
      const lagging = laggingPartitions((await admin.fetchTopicMetadata()).topics)
      if (lagging.length === 0) return
      if (Date.now() > deadline) throw new Error(`not in sync within ${withinMs / 1000} s: ${lagging.join(', ')}`)
      await sleep(PAUSE_MS)
    }
  } finally {
    await admin.disconnect()
  }
}

/** The partitions that have fewer in-sync replicas than replicas. */
export const laggingPartitions = (topics: kafkajs.ITopicMetadata[]): string[] =>
  topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ replicas, isr }) => isr.length < replicas.length)
      .map(({ partitionId }) => `${name} ${partitionId}`),
  )
