import type { Clock } from '#core/clock.ts'
import type { Log, LogRecord } from '#core/log.ts'
import type { Logger } from '#core/telemetry.ts'
import { deliver, type Fate } from './dispatch.ts'
import { type Offsets, offsets } from './offset-tracker.ts'
import { type DeliverySpec, policyOf } from './retry-policy.ts'
import { polls } from './poll-pacing.ts'
import { type Poster, poster } from './http-client.ts'
import { type Posting, postingOf } from './record-to-request.ts'
import { type Slots, slots } from './semaphore.ts'

/** A KafkaSource in the words of its manifest, and what a ConfigMap says for all of them. */
export interface SourceSpec {
  name: string
  namespace: string
  topic: string
  group: string
  ordering: 'ordered' | 'unordered'
  initialOffset: 'earliest' | 'latest'
  /** Each has its share of the partitions, and room of its own for records in flight. */
  consumers?: number
  delivery?: DeliverySpec
  /** The address that records are posted to. */
  sink: string
  /** How many records of an unordered consumer are in flight. One that waits for a retry counts, as in the real one. */
  maxInFlight?: number
  /** `real`: an ordered consumer polls once every 200 ms for `maxPollRecords`. */
  pacing?: 'off' | 'real'
  maxPollRecords?: number
  commitIntervalMs?: number
}

export interface SourceParts {
  log: Pick<Log, 'consume'>
  clock: Clock
  /** Its own from here on. */
  poster?: Poster
  logger: Pick<Logger, 'warn' | 'error'>
  onFate?(fate: Fate): void
  onRetry?(): void
}

export interface Source {
  /** How many records are taken and not finished. */
  underWay(): number
  /** Takes nothing more, lets requests under way end for 10 s at most, commits. */
  close(): Promise<void>
}

interface Partition {
  offsets: Offsets
  /** A bound on what is taken and not finished. */
  room: Slots
  /** Resolves when a poll of its consumer hands out what comes now. */
  polled: (() => Promise<void>) | undefined
  /** The last delivery, behind which the next one waits if they are ordered. */
  last: Promise<void>
  /** Counts the takes. A log that lost the partition and reads it again does not wait for the take before, which ends. */
  takes: number
}

const STOP_MS = 10_000

/** Stands in for a KafkaSource where there is no Knative: posts each record of a topic, with the behaviour of the real one. */
export async function startSource(spec: SourceSpec, parts: SourceParts): Promise<Source> {
  const { topic, group, initialOffset, sink, consumers = 1, maxPollRecords = 50, commitIntervalMs = 5000 } = spec
  const { log, clock, logger, onFate, onRetry } = parts
  const isOrdered = spec.ordering === 'ordered'
  const policy = policyOf(spec.delivery)
  const posting = parts.poster ?? poster(clock, policy)
  const stop = new AbortController()
  const stopping = stop.signal
  const delivering = { sink, policy, post: posting.post, clock, stopping, onRetry }

  const shares = Array.from({ length: consumers }, () => ({
    room: isOrdered ? undefined : slots(spec.maxInFlight ?? 100),
    polled: isOrdered && spec.pacing === 'real' ? polls(clock, maxPollRecords, stopping) : undefined,
  }))
  const partitions = new Map<number, Partition>()
  const deliveries = new Set<Promise<void>>()

  function partitionOf(number: number): Partition {
    const known = partitions.get(number)
    if (known) return known
    const { room = slots(2 * maxPollRecords), polled } = shares[number % consumers] as (typeof shares)[number]
    const partition = { offsets: offsets(), room, polled, last: Promise.resolve(), takes: 0 }
    partitions.set(number, partition)
    return partition
  }

  async function take(records: LogRecord[]): Promise<void> {
    const [first] = records
    if (!first) return
    const partition = partitionOf(first.partition)
    const turn = ++partition.takes
    for (const record of records) {
      await partition.room.take()
      if (stopping.aborted || turn !== partition.takes) return partition.room.free()
      partition.offsets.begin(record.offset)
      const delivery = settle(record, partition).finally(() => {
        deliveries.delete(delivery)
        partition.room.free()
      })
      deliveries.add(delivery)
      partition.last = delivery
    }
  }

  async function settle(record: LogRecord, { offsets, polled, last }: Partition): Promise<void> {
    if (isOrdered) await Promise.all([polled?.(), last])
    if (stopping.aborted) return
    const fate = await fateOf(record)
    if (fate !== 'stopped') offsets.finish(record.offset)
    onFate?.(fate)
  }

  async function fateOf(record: LogRecord): Promise<Fate> {
    const where = { topic, partition: record.partition, offset: record.offset }
    let request: Posting
    try {
      request = postingOf(record, spec)
    } catch (error) {
      logger.error({ ...where, err: error }, 'a record can not be sent and is lost')
      return 'lost'
    }
    const fate = await deliver(request, delivering)
    if (fate === 'dead letter') logger.warn(where, 'a record went to the dead-letter sink')
    if (fate === 'lost') logger.error(where, 'a record is lost: neither sink took it')
    return fate
  }

  async function commit(): Promise<void> {
    for (const [partition, { offsets }] of partitions) {
      const offset = offsets.ready()
      if (offset === undefined) continue
      try {
        await consumer.commit(partition, offset)
        offsets.committed(offset)
      } catch (error) {
        logger.warn({ topic, partition, offset, err: error }, 'not committed')
      }
    }
  }

  async function commitForEver(): Promise<void> {
    while (!stopping.aborted) {
      await clock.sleep(commitIntervalMs, stopping)
      await commit()
    }
  }

  const onError = (error: Error) => logger.warn({ topic, err: error }, 'the source lost the log for a while')
  const consumer = await log.consume({ topic, group, initialOffset, maxRecords: maxPollRecords, onError }, take)
  const committing = commitForEver()

  return {
    underWay: () => deliveries.size,
    async close() {
      stop.abort()
      const ended = new AbortController()
      await Promise.race([Promise.all(deliveries), clock.sleep(STOP_MS, ended.signal)])
      ended.abort()
      await posting.close()
      await Promise.all(deliveries)
      await committing
      await commit()
      await consumer.close()
    },
  }
}
