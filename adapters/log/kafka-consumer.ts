import { randomUUID } from 'node:crypto'
import type { EachBatchPayload, Kafka, Consumer as KafkaConsumer, KafkaMessage } from 'kafkajs'
import { type Clock, systemClock } from '#core/clock.ts'
import type { ConsumeOptions, Consumer, LogRecord } from '#core/log.ts'
import { retry } from '#core/retry.ts'
import { Unavailable } from '#core/unavailable.ts'
import { asUnavailable, connected, isCoordinatorMoving } from './kafka-errors.ts'

const REOPEN_MS = 500
const JOINED_WITHIN_MS = 60_000

/** kafkajs finds a moved coordinator by its heartbeats within two seconds, if it finds it. */
const REJOIN_AFTER_MS = 4000
/** The longest that a member may take to leave its group before the next one joins. */
const LEAVE_MS = 3000

/** What is read ahead of each partition; a fetch may add another MiB to it. */
const AHEAD_BYTES = 1024 * 1024

/** What was fetched of a partition and not taken yet. */
interface Line {
  /** The meeting of the group that it belongs to: it ends with it, for what it holds is fetched again. */
  since: Set<number>
  records: LogRecord[]
  bytes: number
  resume: (() => void) | undefined
  /** Resolves once it is empty or over. */
  taking: Promise<void>
}

/**
 * A member of a consumer group that goes on for ever: where kafkajs gives up, a new one takes its place.
 *
 * kafkajs fetches nothing more from a broker while one batch of it is being worked on, nor does it tell the group that it
 * lives; and where all partitions of a broker are paused it sleeps. So batches are only lined up in its loop and taken
 * beside it, and a partition is paused while more than enough of it waits.
 *
 * It sends commits to the coordinator that it found when it joined. When two of its joins overlap that can be an old one, while its
 * heartbeats reach the new one: it never joins again, and no commit succeeds. So a member whose commits keep failing is replaced.
 */
export async function consuming(
  kafka: Kafka,
  { topic, group, initialOffset, maxRecords, onError = () => {} }: ConsumeOptions,
  take: (records: LogRecord[]) => Promise<void>,
  clock: Clock = systemClock,
): Promise<Consumer> {
  /** By partition: never two at once, also when the group hands a partition out anew. */
  const lines = new Map<number, Line>()
  let current: KafkaConsumer | undefined
  /** The partitions that are ours since the group last met; nothing taken before says where to go on. */
  let ours = new Set<number>()
  let reopening: Promise<void> | undefined
  /** Members that were given up: what they still report is not about us. */
  const left = new WeakSet<KafkaConsumer>()
  /** The brokers have answered: what fails from here on is the group, which passes. */
  let isReached = false
  let closed = false
  /** When the first commit failed of those that failed since the last success. */
  let failingSince: number | undefined

  async function open(): Promise<void> {
    const consumer = kafka.consumer({
      groupId: group,
      maxWaitTimeInMs: 200,
      heartbeatInterval: 2000,
      sessionTimeout: 10_000,
      rebalanceTimeout: 15_000,
      allowAutoTopicCreation: false,
      retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1000, restartOnFailure: async () => false },
    })
    const lost = new Promise<never>((_, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    })
    const joined = new Promise<void>((resolve) => {
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        if (left.has(consumer)) return
        ours = new Set(payload.memberAssignment[topic])
        resolve()
      })
    })
    lost.catch(() => undefined)
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: initialOffset === 'earliest' })
      isReached = true
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 64,
        eachBatch,
      })
      await Promise.race([joined, lost])
    } catch (error) {
      await consumer.disconnect().catch(() => undefined)
      throw asUnavailable(error)
    }
    current = consumer
    lost.catch((error) => {
      if (left.has(consumer)) return
      ours = new Set()
      current = undefined
      onError(error)
      if (!closed) reopening = reopen()
    })
  }

  /** Gives the member up and makes another one; what it had not committed is delivered again. */
  function rejoin(member: KafkaConsumer, error: Error): void {
    left.add(member)
    ours = new Set()
    current = undefined
    failingSince = undefined
    onError(new Error('commits kept failing: the consumer joins its group again', { cause: error }))
    const gone = new AbortController()
    const leaving = member.disconnect().catch(() => undefined)
    reopening = Promise.race([leaving, clock.sleep(LEAVE_MS, gone.signal)])
      .finally(() => gone.abort())
      .then(reopen)
  }

  /** A group whose last members died without a word meets again only once they are given up. */
  const join = (): Promise<void> =>
    retry(open, {
      clock,
      when: () => isReached,
      pause: () => REOPEN_MS,
      deadline: clock.now() + JOINED_WITHIN_MS,
      onRetry: (error) => onError(error as Error),
    })

  const reopen = (): Promise<void> =>
    retry(async () => (closed ? undefined : await open()), {
      clock,
      when: () => true,
      pause: () => REOPEN_MS,
      onRetry: (error) => onError(error as Error),
    })

  async function eachBatch({ batch, pause, resolveOffset }: EachBatchPayload): Promise<void> {
    const { partition, messages } = batch
    const line = lineOf(partition)
    for (const message of messages) {
      const record = recordOf(partition, message)
      line.records.push(record)
      line.bytes += bytesOf(record)
    }
    resolveOffset(batch.lastOffset())
    if (line.bytes > AHEAD_BYTES) line.resume = pause()
    if (line.records.length === messages.length) line.taking = line.taking.then(() => takeAll(partition, line))
  }

  function lineOf(partition: number): Line {
    const known = lines.get(partition)
    if (known?.since === ours) return known
    const line = { since: ours, records: [], bytes: 0, resume: undefined, taking: known?.taking ?? Promise.resolve() }
    lines.set(partition, line)
    return line
  }

  async function takeAll(partition: number, line: Line): Promise<void> {
    const isOver = () => closed || line.since !== ours || !ours.has(partition)
    while (line.records.length > 0 && !isOver()) {
      const records = line.records.slice(0, maxRecords)
      try {
        await take(records)
      } catch (error) {
        onError(error as Error)
        await clock.sleep(REOPEN_MS)
        continue
      }
      line.records.splice(0, records.length)
      for (const record of records) line.bytes -= bytesOf(record)
      if (line.bytes <= AHEAD_BYTES / 2) goOn(line)
    }
    line.records = []
    goOn(line)
  }

  function goOn(line: Line): void {
    line.resume?.()
    line.resume = undefined
  }

  await join()
  return {
    async commit(partition, offset) {
      if (!current || !ours.has(partition)) throw new Unavailable('log', `partition ${partition} is no longer ours`)
      const member = current
      try {
        await member.commitOffsets([{ topic, partition, offset: String(offset) }])
        failingSince = undefined
      } catch (error) {
        failingSince ??= clock.now()
        if (current === member && !closed && clock.now() - failingSince >= REJOIN_AFTER_MS)
          rejoin(member, error as Error)
        throw asUnavailable(error)
      }
    },
    async close() {
      closed = true
      await Promise.all([...lines.values()].map(({ taking }) => taking))
      await reopening
      await current?.disconnect()
    },
  }
}

/** Where each partition goes on and ends: what comes from before was read already, or is older than was asked for. */
type Left = Map<number, { next: number; end: number }>

/** Reads each partition to its end, and waits out a coordinator that moves. */
export async function* scanning(kafka: Kafka, topic: string, left: Left): AsyncGenerator<LogRecord> {
  const deadline = Date.now() + JOINED_WITHIN_MS
  while (left.size > 0) {
    try {
      yield* reading(kafka, topic, left)
    } catch (error) {
      if (!isCoordinatorMoving(error) || Date.now() > deadline) throw asUnavailable(error)
      await systemClock.sleep(REOPEN_MS)
    }
  }
}

/** With a consumer group of its own, which is removed afterwards. What it yields is no longer in `left`. */
async function* reading(kafka: Kafka, topic: string, left: Left): AsyncGenerator<LogRecord> {
  const groupId = `millrace-scan-${randomUUID()}`
  const retry = { retries: 5, initialRetryTime: 100, maxRetryTime: 1000, restartOnFailure: async () => false }
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false, retry })
  let records: LogRecord[] = []
  let crash: Error | undefined
  let wake = () => {}
  let taken = () => {}
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    crash = payload.error
    wake()
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      async eachBatch({ batch: { partition, messages } }) {
        const place = left.get(partition)
        if (!place) return
        const { next, end } = place
        for (const message of messages) {
          const record = recordOf(partition, message)
          if (record.offset >= next && record.offset < end) records.push(record)
        }
        place.next = Math.max(next, Number(messages.at(-1)?.offset) + 1)
        if (place.next >= end) left.delete(partition)
        if (records.length === 0) return wake()
        await new Promise<void>((resolve) => {
          taken = resolve
          wake()
        })
      },
    })
    if (crash) throw crash
    for (const [partition, { next }] of left) consumer.seek({ topic, partition, offset: String(next) })
    while (left.size > 0 || records.length > 0) {
      const batch = records
      records = []
      taken()
      yield* batch
      if (records.length > 0 || left.size === 0) continue
      if (crash) throw crash
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    taken()
    await consumer.disconnect().catch(() => undefined)
    await forget(kafka, groupId).catch(() => undefined)
  }
}

async function forget(kafka: Kafka, groupId: string): Promise<void> {
  const admin = await connected(kafka.admin())
  await admin.deleteGroups([groupId]).finally(() => admin.disconnect())
}

const bytesOf = ({ key, value, headers }: LogRecord): number =>
  headers.reduce((sum, [, value]) => sum + value.length, (key?.length ?? 0) + (value?.length ?? 0))

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
