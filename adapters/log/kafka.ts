import kafkajs from 'kafkajs'
import type { Consumer, Log, NewRecord } from '#core/log.ts'
import { Unavailable } from '#core/unavailable.ts'
import { kafkaAdmin } from './kafka-admin.ts'
import { joinGroup } from './kafka-consumer.ts'
import { kafkaLanes, type SendReporting, unreachable } from './kafka-lanes.ts'
import { kafkaProducers, REQUEST_MS } from './kafka-producers.ts'
import { scanTopic } from './kafka-scan.ts'
import type { KafkaSecurity } from './kafka-security.ts'
import { ensureTopics } from './kafka-topics.ts'
import './kafka-timers.ts'
import type { Lane } from './lane.ts'
import { partitionOf } from './partition.ts'

export interface KafkaOptions extends SendReporting {
  brokers: string[]
  /** TLS and SASL; plain text without. */
  security?: KafkaSecurity
  /** The replication factor of topics that `ensure` makes. */
  replication: number
  maxBuffered: number
  /** The longest time that an append waits for its acknowledgement. */
  answerWithinMs?: number
}

/** The log on Kafka. It connects at its first call, and again after every outage. */
export function kafkaLog({ replication, ...options }: KafkaOptions): Log {
  const kafka = clientOf(options)
  const admin = kafkaAdmin(kafka)
  const producers = kafkaProducers(kafka)
  const lanes = kafkaLanes(admin, producers, options)
  const buffer = appendBuffer(lanes, options)
  const consumers = new Set<Consumer>()

  async function endsOf(topic: string): Promise<{ partition: number; low: number; high: number }[]> {
    const offsets = await admin.request((admin) => admin.fetchTopicOffsets(topic))
    return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
  }

  return {
    append: buffer.append,

    ensure: (topics) => admin.request((admin) => ensureTopics(admin, topics, replication)),

    async *scan(topic, from) {
      const ends = (await endsOf(topic)).map(
        ({ partition, low, high }) =>
          [partition, { next: Math.max(low, from?.get(partition) ?? 0), end: high }] as const,
      )
      yield* scanTopic(kafka, topic, new Map(ends.filter(([, { next, end }]) => next < end)))
    },

    async consume(options, take) {
      const consumer = await joinGroup(kafka, options, take)
      consumers.add(consumer)
      return {
        commit: consumer.commit,
        async close() {
          consumers.delete(consumer)
          await consumer.close()
        },
      }
    },

    async lag(topic, group) {
      const [ends, groups] = await Promise.all([
        endsOf(topic),
        admin.request((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] })),
      ])
      const committed = new Map(groups[0]?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
      return new Map(
        ends.map(({ partition, low, high }) => {
          const offset = committed.get(partition) ?? -1
          return [partition, high - (offset < 0 ? low : Math.max(offset, low))]
        }),
      )
    },

    ping: async () => void (await admin.request((admin) => admin.describeCluster())),

    async close() {
      buffer.close()
      await lanes.close()
      await Promise.all([...consumers].map((consumer) => consumer.close()))
      await Promise.all([producers.close(), admin.close()])
    },
  }
}

const clientOf = ({ brokers, security }: Pick<KafkaOptions, 'brokers' | 'security'>) =>
  new kafkajs.Kafka({
    clientId: 'millrace',
    brokers,
    ...security,
    connectionTimeout: 1000,
    requestTimeout: REQUEST_MS,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 3, initialRetryTime: 50, maxRetryTime: 400 },
  })

/** Bounds the appends that wait for their acknowledgement, in number and in time. */
function appendBuffer(
  lanes: ReturnType<typeof kafkaLanes>,
  { maxBuffered, answerWithinMs = 1800 }: Pick<KafkaOptions, 'maxBuffered' | 'answerWithinMs'>,
) {
  let buffered = 0
  let withoutKey = 0
  let isClosed = false
  return {
    async append(topic: string, record: NewRecord, by = Number.POSITIVE_INFINITY) {
      const deadline = Math.min(by, Date.now() + answerWithinMs)
      if (deadline <= Date.now()) throw unreachable()
      if (isClosed) throw new Unavailable('log', 'it is closed')
      if (buffered >= maxBuffered) throw new Unavailable('log', 'the buffer is full')
      buffered++
      try {
        const found = lanes.known(topic) ?? (await lanes.find(topic, deadline))
        const partition = record.key === null ? withoutKey++ % found.length : partitionOf(record.key, found.length)
        return { partition, offset: await (found[partition] as Lane<NewRecord>).append(record, deadline) }
      } finally {
        buffered--
      }
    },
    close() {
      isClosed = true
    },
  }
}
