import { inTime, systemClock } from '#core/clock.ts'
import type { NewRecord } from '#core/log.ts'
import type { Metrics } from '#core/telemetry.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { KafkaAdmin } from './kafka-admin.ts'
import { isRecordsFault, isTopicUnknown } from './kafka-errors.ts'
import { type KafkaProducers, partitionSender } from './kafka-producers.ts'
import { sizeLimitOf } from './kafka-record.ts'
import { type Lane, lane } from './lane.ts'

type Lanes = Lane<NewRecord>[]

export interface KafkaLanes {
  /** The lanes of a topic, one for each partition, if they are known. */
  known(topic: string): Lanes | undefined
  /** Looks up the partitions of a topic and makes its lanes. Rejects at `deadline`. */
  find(topic: string, deadline: number): Promise<Lanes>
  /** Resolves once every append is settled. */
  close(): Promise<void>
}

export interface SendReporting {
  /** Called after a send that failed and will be repeated. */
  onRetry?(error: unknown): void
  metrics?: Pick<Metrics, 'batchSize'>
}

const KNOWN_WITHIN_MS = 1000
const MAX_SEND_BYTES = 900_000

export const unreachable = () => new Unavailable('log', 'the brokers can not be reached')

export function kafkaLanes(
  admin: KafkaAdmin,
  producers: KafkaProducers,
  { onRetry, metrics }: SendReporting,
): KafkaLanes {
  const lanes = new Map<string, Lanes>()
  const lookups = new Map<string, Promise<Lanes>>()

  function makeLane(topic: string, partition: number): Lane<NewRecord> {
    const send = partitionSender(producers, topic, partition)
    return lane<NewRecord>({
      maxBytes: MAX_SEND_BYTES,
      clock: systemClock,
      bytesOf: sizeLimitOf,
      isTheirFault: isRecordsFault,
      ...(onRetry ? { onRetry } : {}),
      async send(records) {
        const offset = await send(records)
        metrics?.batchSize('publish', topic, records.length)
        return offset
      },
    })
  }

  async function makeLanes(topic: string): Promise<Lanes> {
    const partitions = await partitionsOf(admin, topic)
    const made = Array.from({ length: partitions }, (_, partition) => makeLane(topic, partition))
    setImmediate(() => lanes.set(topic, made))
    return made
  }

  return {
    known: (topic) => lanes.get(topic),

    /**
     * Until the partitions of a topic are known, callers share one lookup and continue in the order of their calls. A
     * caller that arrives while they continue takes the same way and so stays behind them.
     */
    async find(topic, deadline) {
      const lookup = lookups.get(topic) ?? makeLanes(topic)
      if (!lookups.has(topic)) {
        lookups.set(topic, lookup)
        const forget = () => lookups.delete(topic)
        lookup.then(() => setImmediate(forget), forget)
      }
      return await inTime(systemClock, deadline, lookup, unreachable)
    },

    async close() {
      await Promise.allSettled(lookups.values())
      await new Promise((resolve) => setImmediate(resolve))
      await Promise.all([...lanes.values()].flat().map((lane) => lane.close()))
    },
  }
}

/** The number of partitions of a topic. Waits a second for a new topic, since not every broker knows it at once. */
async function partitionsOf(admin: KafkaAdmin, topic: string): Promise<number> {
  const deadline = Date.now() + KNOWN_WITHIN_MS
  for (;;) {
    try {
      const metadata = await admin.request((admin) => admin.fetchTopicMetadata({ topics: [topic] }))
      return metadata.topics[0]?.partitions.length ?? 0
    } catch (error) {
      if (!isTopicUnknown(error)) throw error
      if (Date.now() > deadline) throw new Unavailable('log', `there is no topic ${topic}`, { cause: error })
      await systemClock.sleep(50)
    }
  }
}
