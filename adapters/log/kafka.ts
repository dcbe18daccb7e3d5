import kafkajs, { type Admin, type Message, type Producer } from 'kafkajs'
import { inTime, systemClock } from '#core/clock.ts'
import { retry } from '#core/retry.ts'
import { Unavailable } from '#core/unavailable.ts'
import { consuming, scanning } from './kafka-consumer.ts'
import { asUnavailable, connected, isAnswer, isProducersFault, isRecordsFault, isTopicUnknown } from './kafka-errors.ts'
import type { KafkaSecurity } from './kafka-security.ts'
import { ensureTopics } from './kafka-topics.ts'
import './kafka-warning.ts'
import type { Consumer, Log, NewRecord } from '#core/log.ts'
import { type Lane, lane } from './lane.ts'
import { partitionOf } from './partition.ts'

export interface KafkaOptions {
  brokers: string[]
  /** TLS and SASL; plain text without. */
  security?: KafkaSecurity
  /** Of topics that are made. */
  replication: number
  maxBuffered: number
  /** The longest that an append waits for its answer. */
  answerWithinMs?: number
  onRetry?(error: unknown): void
  /** Told of each send that is settled. */
  onSend?(topic: string, records: number): void
}

const REQUEST_MS = 5000
const KNOWN_WITHIN_MS = 1000
const MAX_SEND_BYTES = 900_000
const RECORD_OVERHEAD_BYTES = 100

/** The log on Kafka, by lanes. It connects when it is first asked, and again for ever. */
export function kafkaLog(options: KafkaOptions): Log {
  const { brokers, security, replication, maxBuffered, answerWithinMs = 1800, onRetry, onSend } = options
  const kafka = new kafkajs.Kafka({
    clientId: 'millrace',
    brokers,
    ...security,
    connectionTimeout: 1000,
    requestTimeout: REQUEST_MS,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 3, initialRetryTime: 50, maxRetryTime: 400 },
  })
  const lanes = new Map<string, Lane<NewRecord>[]>()
  const looking = new Map<string, Promise<Lane<NewRecord>[]>>()
  const consumers = new Set<Consumer>()
  /** All that were made, to be closed at the end: a lane may still repeat its batch on one that others have left. */
  const producers = new Set<Promise<Producer>>()
  let producing: Promise<Producer> | undefined
  let administering: Promise<Admin> | undefined
  let spread = 0
  let buffered = 0
  let closed = false

  const administered = async <Result>(call: (admin: Admin) => Promise<Result>): Promise<Result> => {
    administering ??= connected(kafka.admin())
    const current = administering
    try {
      return await call(await current)
    } catch (error) {
      if (!isAnswer(error)) {
        if (administering === current) administering = undefined
        void current.then((admin) => admin.disconnect()).catch(() => undefined)
      }
      throw asUnavailable(error)
    }
  }

  /** One for all lanes, for as long as it keeps its place in each of them. */
  function sharedProducer(): Promise<Producer> {
    if (producing) return producing
    const made = connected(
      kafka.producer({
        idempotent: true,
        allowAutoTopicCreation: false,
        createPartitioner:
          () =>
          ({ message }) =>
            message.partition ?? 0,
      }),
    )
    producing = made
    producers.add(made)
    made.catch(() => {
      retire(made)
      producers.delete(made)
    })
    return made
  }

  function retire(producer: Promise<Producer>): void {
    if (producing === producer) producing = undefined
  }

  /**
   * A batch keeps to one producer, by whose sequence numbers the brokers know a repeat. Only one that has lost its place
   * in this partition is left for a new one; should the batch be written already, persist knows the repeat by its id.
   */
  function laneOf(topic: string, partition: number): Lane<NewRecord> {
    let own: Promise<Producer> | undefined
    return lane<NewRecord>({
      maxBytes: MAX_SEND_BYTES,
      clock: systemClock,
      bytesOf,
      isTheirFault: isRecordsFault,
      ...(onRetry ? { onRetry } : {}),
      async send(records) {
        own ??= sharedProducer()
        const producer = await own.catch((error) => {
          own = undefined
          throw error
        })
        try {
          const messages = records.map((record) => messageOf(record, partition))
          const answers = await producer.send({ topic, acks: -1, timeout: REQUEST_MS, messages })
          const answer = answers.find((answer) => answer.partition === partition)
          if (!answer) throw new Error('the answer of the brokers does not cover the partition')
          onSend?.(topic, records.length)
          return Number(answer.baseOffset)
        } catch (error) {
          if (isProducersFault(error)) {
            retire(own)
            own = undefined
          }
          throw error
        }
      },
    })
  }

  async function lanesOf(topic: string): Promise<Lane<NewRecord>[]> {
    const partitions = await partitionsOf(topic)
    const made = Array.from({ length: partitions }, (_, partition) => laneOf(topic, partition))
    setImmediate(() => lanes.set(topic, made))
    return made
  }

  /** Not every broker knows a new topic at once. */
  async function partitionsOf(topic: string): Promise<number> {
    const fetchMetadata = () => administered((admin) => admin.fetchTopicMetadata({ topics: [topic] }))
    try {
      const metadata = await retry(fetchMetadata, {
        clock: systemClock,
        when: isTopicUnknown,
        pause: () => 50,
        deadline: Date.now() + KNOWN_WITHIN_MS,
      })
      return metadata.topics[0]?.partitions.length ?? 0
    } catch (error) {
      if (!isTopicUnknown(error)) throw error
      throw new Unavailable('log', `there is no topic ${topic}`, { cause: error })
    }
  }

  /**
   * Until the partitions of a topic are known its callers share one look, and go on in the order in which they came:
   * who comes while they do so goes the same way, behind them.
   */
  async function findLanes(topic: string, deadline: number): Promise<Lane<NewRecord>[]> {
    const look = looking.get(topic) ?? lanesOf(topic)
    if (!looking.has(topic)) {
      looking.set(topic, look)
      const forget = () => looking.delete(topic)
      look.then(() => setImmediate(forget), forget)
    }
    return await inTime(systemClock, deadline, look, unreachable)
  }

  async function append(topic: string, record: NewRecord, by = Number.POSITIVE_INFINITY) {
    const deadline = Math.min(by, Date.now() + answerWithinMs)
    if (deadline <= Date.now()) throw unreachable()
    if (closed) throw new Unavailable('log', 'it is closed')
    if (buffered >= maxBuffered) throw new Unavailable('log', 'the buffer is full')
    buffered++
    try {
      const found = lanes.get(topic) ?? (await findLanes(topic, deadline))
      const partition = record.key === null ? spread++ % found.length : partitionOf(record.key, found.length)
      return { partition, offset: await (found[partition] as Lane<NewRecord>).append(record, deadline) }
    } finally {
      buffered--
    }
  }

  async function endsOf(topic: string): Promise<{ partition: number; low: number; high: number }[]> {
    const offsets = await administered((admin) => admin.fetchTopicOffsets(topic))
    return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
  }

  return {
    append,

    ensure: (topics) => administered((admin) => ensureTopics(admin, topics, replication)),

    async *scan(topic, from) {
      const ends = (await endsOf(topic)).map(
        ({ partition, low, high }) =>
          [partition, { next: Math.max(low, from?.get(partition) ?? 0), end: high }] as const,
      )
      yield* scanning(kafka, topic, new Map(ends.filter(([, { next, end }]) => next < end)))
    },

    async consume(options, take) {
      const consumer = await consuming(kafka, options, take)
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
        administered((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] })),
      ])
      const committed = new Map(groups[0]?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
      return new Map(
        ends.map(({ partition, low, high }) => {
          const offset = committed.get(partition) ?? -1
          return [partition, high - (offset < 0 ? low : Math.max(offset, low))]
        }),
      )
    },

    ping: () =>
      administered(async (admin) => {
        await admin.describeCluster()
      }),

    async close() {
      closed = true
      await Promise.allSettled(looking.values())
      await new Promise((resolve) => setImmediate(resolve))
      await Promise.all([...lanes.values()].flat().map((lane) => lane.close()))
      await Promise.all([...consumers].map((consumer) => consumer.close()))
      const parts = await Promise.allSettled([...producers, administering])
      await Promise.all(parts.map((part) => part.status === 'fulfilled' && part.value?.disconnect()))
    },
  }
}

const unreachable = () => new Unavailable('log', 'the brokers can not be reached')

const bytesOf = ({ key, value, headers = {} }: NewRecord): number => {
  let bytes = RECORD_OVERHEAD_BYTES + lengthOf(key) + lengthOf(value)
  for (const name in headers) bytes += name.length + lengthOf(headers[name] ?? null) + 4
  return bytes
}

/** Of text at most: no character takes more than three bytes for each of its UTF-16 units. */
const lengthOf = (value: string | Uint8Array | null): number =>
  typeof value === 'string' ? (value.length > 1000 ? Buffer.byteLength(value) : value.length * 3) : (value?.length ?? 0)

const bufferOf = (value: string | Uint8Array): Buffer | string =>
  typeof value === 'string' ? value : Buffer.from(value)

function messageOf({ key, value, headers = {} }: NewRecord, partition: number): Message {
  const named: Record<string, Buffer | string> = {}
  for (const name in headers) named[name] = bufferOf(headers[name] as string)
  return {
    partition,
    key: key === null ? null : bufferOf(key),
    value: value === null ? null : bufferOf(value),
    headers: named,
  }
}
