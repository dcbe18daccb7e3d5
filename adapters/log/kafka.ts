import { randomUUID } from 'node:crypto'
import {
  type Admin,
  Kafka,
  type Consumer as KafkaConsumer,
  KafkaJSError,
  KafkaJSProtocolError,
  type KafkaMessage,
  logLevel,
  type Message,
  type Producer,
} from 'kafkajs'
import { systemClock } from '../clock.ts'
import { Unavailable } from '../unavailable.ts'
import { type Lane, lane } from './lane.ts'
import { type ConsumeOptions, type Consumer, type Log, type LogRecord, type NewRecord, RETENTION_DAYS } from './log.ts'
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
  const kafka = new Kafka({
    clientId: 'millrace',
    brokers,
    connectionTimeout: 1000,
    requestTimeout: 5000,
    logLevel: logLevel.NOTHING,
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
      isTheirFault: (error) => RECORD_FAULTS.has(typeOf(error)),
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
          if (PRODUCER_FAULTS.has(typeOf(error)) || isDisconnected(error)) replace(current)
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

    ensure: (topics) =>
      administered(async (admin) => {
        const there = new Set(await admin.listTopics())
        const missing = topics.filter(({ name }) => !there.has(name))
        if (missing.length > 0) {
          const made = missing.map(({ name, partitions }) => ({
            topic: name,
            numPartitions: partitions,
            replicationFactor: replication,
            configEntries: Object.entries(settingsOf(name, replication)).map(([name, value]) => ({ name, value })),
          }))
          await admin.createTopics({ topics: made, waitForLeaders: false })
        }
        await eachLed(admin, topics)
      }),

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

/** What a record does to itself: sending it again is no use. */
const RECORD_FAULTS = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'])

const PRODUCER_FAULTS = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'PRODUCER_FENCED',
])

/** The protocol's name of an error, however deep kafkajs wrapped it. */
function typeOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof KafkaJSProtocolError || 'type' in at) return String((at as KafkaJSProtocolError).type)
  }
  return ''
}

const isDisconnected = (error: unknown): boolean => error instanceof KafkaJSError && /disconnected/i.test(error.message)

const asUnavailable = (error: unknown): unknown =>
  error instanceof KafkaJSError ? new Unavailable('log', error.message, { cause: error }) : error

async function connected<Client extends { connect(): Promise<void> }>(client: Client): Promise<Client> {
  await client.connect()
  return client
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

const DAY_MS = 86_400_000

/** What a topic declares. The error topic keeps its records without limit. */
export const settingsOf = (topic: string, replication: number): Record<string, string> => ({
  'min.insync.replicas': String(Math.max(1, replication - 1)),
  'retention.ms': topic === 'dead-letters' ? '-1' : String(RETENTION_DAYS * DAY_MS),
  'unclean.leader.election.enable': 'false',
})

const LED_WITHIN_MS = 15_000

/** A topic that was just made has no leaders for a moment. */
async function eachLed(admin: Admin, topics: { name: string; partitions: number }[]): Promise<void> {
  const deadline = Date.now() + LED_WITHIN_MS
  for (;;) {
    try {
      const metadata = await admin.fetchTopicMetadata({ topics: topics.map(({ name }) => name) })
      for (const { name, partitions } of metadata.topics) {
        const wanted = topics.find((topic) => topic.name === name)
        if (partitions.some(({ leader }) => leader < 0)) throw new Unavailable('log', `topic ${name} has no leader yet`)
        if (wanted && wanted.partitions !== partitions.length) {
          throw new Error(`log: topic ${name} has ${partitions.length} partitions, not ${wanted.partitions}`)
        }
      }
      return
    } catch (error) {
      const isPassing = error instanceof Unavailable || error instanceof KafkaJSError
      if (!isPassing || Date.now() > deadline) throw error
      await systemClock.sleep(100)
    }
  }
}

const HEARTBEAT_MS = 3000
const RESTART_MS = 1000

/** A consumer that goes on for ever: kafkajs gives up on some errors, this does not. */
async function consuming(
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
      sessionTimeout: 30_000,
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
async function* scanning(
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
