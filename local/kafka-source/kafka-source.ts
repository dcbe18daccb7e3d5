import type { Clock } from '#core/clock.ts'
import type { Log, LogRecord } from '#core/log.ts'
import type { Logger } from '#core/telemetry.ts'
import { type DeliveryOutcome, dispatch } from './dispatch.ts'
import { type HttpClient, httpClient } from './http-client.ts'
import { type OffsetTracker, offsetTracker, type Semaphore, semaphore } from './in-flight.ts'
import { pollPacing } from './poll-pacing.ts'
import { type CloudEventRequest, recordToRequest } from './record-to-request.ts'
import { type DeliverySpec, toRetryPolicy } from './retry-policy.ts'

/** The spec of a KafkaSource with the field names of its manifest, and the settings of the ConfigMap that all of them share. */
export interface KafkaSourceSpec {
  name: string
  namespace: string
  topic: string
  group: string
  ordering: 'ordered' | 'unordered'
  initialOffset: 'earliest' | 'latest'
  /** The number of consumers. Each has its share of the partitions and its own limit of records in flight. */
  consumers?: number
  delivery?: DeliverySpec
  /** The URL that receives the records. */
  sink: string
  /** The most records in flight of an unordered consumer. A record that waits for a retry counts, as in the real one. */
  maxInFlight?: number
  /** `real`: an ordered consumer polls once every 200 ms for `maxPollRecords`. */
  pacing?: 'off' | 'real'
  maxPollRecords?: number
  commitIntervalMs?: number
}

export interface KafkaSourceParts {
  log: Pick<Log, 'consume'>
  clock: Clock
  /** The KafkaSource closes it. */
  httpClient?: HttpClient
  logger: Pick<Logger, 'debug' | 'warn' | 'error'>
  onOutcome?(outcome: DeliveryOutcome): void
  onRetry?(): void
}

export interface KafkaSource {
  /** The number of records that are taken and not finished. */
  inFlight(): number
  /** Takes no more records, waits at most 10 s for requests in flight, commits. */
  close(): Promise<void>
}

interface Partition {
  offsets: OffsetTracker
  /** Limits the records that are taken and not finished. */
  permits: Semaphore
  /** Resolves when the next poll of the partition's consumer returns what arrives now. */
  polled: (() => Promise<void>) | undefined
  /** The last delivery. If deliveries are ordered, the next one waits for it. */
  last: Promise<void>
  /** The number of calls of `take`. A log that lost the partition and reads it again doesn't wait for the previous call, which ends. */
  takes: number
}

const STOP_MS = 10_000

/** Stands in for a KafkaSource without Knative: posts each record of a topic, and behaves as the real one does. */
export async function startKafkaSource(spec: KafkaSourceSpec, parts: KafkaSourceParts): Promise<KafkaSource> {
  const { topic, group, initialOffset, maxPollRecords = MAX_POLL_RECORDS, commitIntervalMs = 5000 } = spec
  const { log, clock, logger } = parts
  const stop = new AbortController()
  const client = parts.httpClient ?? httpClient(clock, toRetryPolicy(spec.delivery))
  const partitions = partitionsOf(spec, clock, stop.signal)
  const deliver = deliverer(spec, parts, client, stop.signal)
  const deliveries = new Set<Promise<void>>()

  async function take(records: LogRecord[]): Promise<void> {
    const [first] = records
    if (!first) return
    const partition = partitions.get(first.partition)
    const turn = ++partition.takes
    for (const record of records) {
      await partition.permits.acquire()
      if (stop.signal.aborted || turn !== partition.takes) return partition.permits.release()
      partition.offsets.begin(record.offset)
      const delivery = deliver(record, partition).finally(() => {
        deliveries.delete(delivery)
        partition.permits.release()
      })
      deliveries.add(delivery)
      partition.last = delivery
    }
  }

  async function commit(): Promise<void> {
    for (const [partition, { offsets }] of partitions.all()) {
      const offset = offsets.ready()
      if (offset === undefined) continue
      try {
        await consumer.commit(partition, offset)
        offsets.committed(offset)
      } catch (error) {
        logger.warn({ topic, partition, offset, err: error }, 'the offset is not committed')
      }
    }
  }

  async function commitUntilStopped(): Promise<void> {
    while (!stop.signal.aborted) {
      await clock.sleep(commitIntervalMs, stop.signal)
      await commit()
    }
  }

  const onError = (error: Error) => logger.warn({ topic, err: error }, 'the source lost the log for a while')
  const consumer = await log.consume({ topic, group, initialOffset, maxRecords: maxPollRecords, onError }, take)
  const committing = commitUntilStopped()

  return {
    inFlight: () => deliveries.size,
    async close() {
      stop.abort()
      const ended = new AbortController()
      await Promise.race([Promise.all(deliveries), clock.sleep(STOP_MS, ended.signal)])
      ended.abort()
      await client.close()
      await Promise.all(deliveries)
      await committing
      await commit()
      await consumer.close()
    },
  }
}

const MAX_POLL_RECORDS = 50
const MAX_IN_FLIGHT = 100

const isOrdered = ({ ordering }: KafkaSourceSpec): boolean => ordering === 'ordered'

/** The partitions of the topic, shared out among the consumers. */
function partitionsOf(spec: KafkaSourceSpec, clock: Clock, stopping: AbortSignal) {
  const { consumers = 1, maxInFlight = MAX_IN_FLIGHT, maxPollRecords = MAX_POLL_RECORDS, pacing } = spec
  const shares = Array.from({ length: consumers }, () => ({
    permits: isOrdered(spec) ? undefined : semaphore(maxInFlight),
    polled: isOrdered(spec) && pacing === 'real' ? pollPacing(clock, maxPollRecords, stopping) : undefined,
  }))
  const partitions = new Map<number, Partition>()
  return {
    all: () => partitions.entries(),
    get(number: number): Partition {
      const known = partitions.get(number)
      if (known) return known
      const { permits = semaphore(2 * maxPollRecords), polled } = shares[number % consumers] as (typeof shares)[number]
      const partition = { offsets: offsetTracker(), permits, polled, last: Promise.resolve(), takes: 0 }
      partitions.set(number, partition)
      return partition
    },
  }
}

/** Delivers one record when its turn has come, and finishes its offset unless the KafkaSource stops first. */
function deliverer(spec: KafkaSourceSpec, parts: KafkaSourceParts, { post }: HttpClient, stopping: AbortSignal) {
  const { logger, clock, onOutcome, onRetry } = parts
  const options = { sink: spec.sink, policy: toRetryPolicy(spec.delivery), post, clock, stopping, onRetry }

  async function outcomeOf(record: LogRecord): Promise<DeliveryOutcome> {
    const where = { topic: spec.topic, partition: record.partition, offset: record.offset }
    let request: CloudEventRequest
    try {
      request = recordToRequest(record, spec)
    } catch (error) {
      logger.error({ ...where, err: error }, 'a record can not be sent and is lost')
      return 'lost'
    }
    const outcome = await dispatch(request, options)
    // persist has logged why it refused a record.
    if (outcome === 'refused') logger.debug(where, 'a record went to the dead-letter sink')
    if (outcome === 'dead letter') logger.warn(where, 'a record went to the dead-letter sink')
    if (outcome === 'lost') logger.error(where, 'a record is lost: neither sink took it')
    return outcome
  }

  return async (record: LogRecord, { offsets, polled, last }: Partition): Promise<void> => {
    if (isOrdered(spec)) await Promise.all([polled?.(), last])
    if (stopping.aborted) return
    const outcome = await outcomeOf(record)
    if (outcome !== 'stopped') offsets.finish(record.offset)
    onOutcome?.(outcome)
  }
}
