import kafkajs, { type Admin, type Message, type Producer } from 'kafkajs'
import { systemClock } from '../clock.ts'
import { Unavailable } from '../unavailable.ts'
import { consuming, scanning } from './kafka-consumer.ts'
import { asUnavailable, connected, isDisconnected, isProducersFault, isRecordsFault } from './kafka-errors.ts'
import { ensureTopics } from './kafka-topics.ts'
import { type Lane, lane } from './lane.ts'
import type { Consumer, Log, NewRecord } from './log.ts'
import { partitionOf } from './partition.ts'

export interface KafkaOptions {
  brokers: string[]
  /** Of topics that are made. */
  replication: number
  maxBuffered: number
  /** The longest that an append waits for its answer. */
  answerWithinMs?: number
  onRetry?(error: unknown): void
}

const MAX_SEND_BYTES = 900_000
const RECORD_OVERHEAD_BYTES = 100

/** The log on Kafka, by lanes. It connects when it is first asked, and again for ever. */
export function kafkaLog({ brokers, replication, maxBuffered, answerWithinMs = 1800, onRetry }: KafkaOptions): Log {
  const kafka = new kafkajs.Kafka({
    clientId: 'millrace',
    brokers,
    connectionTimeout: 1000,
    requestTimeout: 5000,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 3, initialRetryTime: 50, maxRetryTime: 400 },
  })
  const lanes = new Map<string, Lane<NewRecord>[]>()
  const looking = new Map<string, Promise<Lane<NewRecord>[]>>()
  const consumers = new Set<Consumer>()
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
      if (administering === current) administering = undefined
      void current.then((admin) => admin.disconnect()).catch(() => undefined)
      throw asUnavailable(error)
    }
  }

  function producer(): Promise<Producer> {
    producing ??= connected(
      kafka.producer({
        idempotent: true,
        allowAutoTopicCreation: false,
        createPartitioner:
          () =>
          ({ message }) =>
            message.partition ?? 0,
      }),
    ).catch((error) => {
      producing = undefined
      throw error
    })
    return producing
  }

  function laneOf(topic: string, partition: number): Lane<NewRecord> {
    return lane<NewRecord>({
      maxBytes: MAX_SEND_BYTES,
      answerWithinMs,
      clock: systemClock,
      bytesOf,
      isTheirFault: isRecordsFault,
      ...(onRetry ? { onRetry } : {}),
      async send(records) {
        const current = producer()
        try {
          const messages = records.map((record) => messageOf(record, partition))
          const answers = await (await current).send({ topic, acks: -1, timeout: 5000, messages })
          const answer = answers.find((answer) => answer.partition === partition)
          if (!answer) throw new Error('the answer of the brokers does not cover the partition')
          return Number(answer.baseOffset)
        } catch (error) {
          if (isProducersFault(error) || isDisconnected(error)) replace(current)
          throw error
        }
      },
    })
  }

  /** A producer that lost its place can't go on; a new one sends the same records, and persist knows repeats by their id. */
  function replace(broken: Promise<Producer>): void {
    if (producing === broken) producing = undefined
    void broken.then((producer) => producer.disconnect()).catch(() => undefined)
  }

  async function lanesOf(topic: string): Promise<Lane<NewRecord>[]> {
    const metadata = await administered((admin) => admin.fetchTopicMetadata({ topics: [topic] }))
    const partitions = metadata.topics[0]?.partitions.length ?? 0
    const made = Array.from({ length: partitions }, (_, partition) => laneOf(topic, partition))
    lanes.set(topic, made)
    return made
  }

  /** Known after the first append to a topic; until then the callers share one look, and its time is theirs. */
  async function findLanes(topic: string): Promise<Lane<NewRecord>[]> {
    const look = looking.get(topic) ?? lanesOf(topic).finally(() => looking.delete(topic))
    looking.set(topic, look)
    const done = new AbortController()
    const late = systemClock.sleep(answerWithinMs, done.signal).then(() => {
      throw new Unavailable('log', 'the brokers can not be reached')
    })
    try {
      return await Promise.race([look, late])
    } finally {
      done.abort()
      late.catch(() => undefined)
    }
  }

  async function append(topic: string, record: NewRecord) {
    if (closed) throw new Unavailable('log', 'it is closed')
    if (buffered >= maxBuffered) throw new Unavailable('log', 'the buffer is full')
    buffered++
    try {
      const found = lanes.get(topic) ?? (await findLanes(topic))
      const partition = record.key === null ? spread++ % found.length : partitionOf(record.key, found.length)
      return { partition, offset: await (found[partition] as Lane<NewRecord>).append(record) }
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
      const ends = (await endsOf(topic)).map(({ partition, low, high }) => ({
        partition,
        start: Math.max(low, from?.get(partition) ?? 0),
        end: high,
      }))
      const open = ends.filter(({ start, end }) => start < end)
      if (open.length > 0) yield* scanning(kafka, topic, open)
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
      await Promise.all([...lanes.values()].flat().map((lane) => lane.answered()))
      await Promise.all([...consumers].map((consumer) => consumer.close()))
      const parts = [await producing?.catch(() => undefined), await administering?.catch(() => undefined)]
      await Promise.all(parts.map((part) => part?.disconnect()))
    },
  }
}

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
