import type { Clock } from '../clock.ts'
import type { Log, LogRecord } from '../log/log.ts'
import { logger } from '../telemetry/logger.ts'
import { type DeliverySpec, deliver, type Fate, type Poster, policyOf, poster } from './deliver.ts'
import { type Offsets, offsets } from './offsets.ts'
import { postingOf } from './request.ts'

/** A KafkaSource in the words of its manifest. */
export interface SourceSpec {
  name: string
  namespace: string
  topic: string
  group: string
  ordering: 'ordered' | 'unordered'
  initialOffset: 'earliest' | 'latest'
  delivery?: DeliverySpec
  /** The address that records are posted to. */
  sink: string
  /** `real`: an ordered source polls once every 200 ms for `maxPollRecords`, as the real one does. */
  pacing?: 'off' | 'real'
  maxPollRecords?: number
}

export interface SourceParts {
  log: Pick<Log, 'consume'>
  clock: Clock
  poster?: Poster
  onFate?(fate: Fate): void
  onRetry?(): void
}

export interface Source {
  /** How many records are being delivered or wait for a retry. */
  underWay(): number
  /** Takes nothing more, lets requests under way end, commits. */
  close(): Promise<void>
}

const IN_FLIGHT = 100
const COMMIT_MS = 5000
const POLL_MS = 200
const STOP_MS = 10_000

/**
 * Stands in for a KafkaSource where there is no Knative: reads a topic and posts each record, with the behaviour of the
 * real one. A record that waits for a retry counts as in flight; of these an unordered source has at most 100.
 */
export async function startSource(spec: SourceSpec, parts: SourceParts): Promise<Source> {
  const { log, clock } = parts
  const { topic, group, initialOffset, ordering, sink } = spec
  const policy = policyOf(spec.delivery)
  const posts = parts.poster ?? poster(clock, IN_FLIGHT)
  const stop = new AbortController()
  const stopping = stop.signal
  const partitions = new Map<number, Offsets>()
  const deliveries = new Set<Promise<void>>()
  const pace =
    ordering === 'ordered' && spec.pacing === 'real' ? pacer(clock, spec.maxPollRecords ?? 50, stopping) : undefined
  const freed: (() => void)[] = []

  async function one(record: LogRecord, progress: Offsets): Promise<void> {
    const posting = postingOf(record, { ...spec, topic })
    const fate = posting
      ? await deliver(posting, { sink, policy, post: posts.post, clock, stopping, ...retryHook(parts) })
      : 'lost'
    if (fate === 'stopped') return
    progress.finish(record.offset)
    parts.onFate?.(fate)
    if (fate !== 'delivered') logger.warn({ topic, partition: record.partition, offset: record.offset }, fate)
  }

  function start(record: LogRecord, progress: Offsets): Promise<void> {
    const delivery = one(record, progress).finally(() => {
      deliveries.delete(delivery)
      for (const free of freed.splice(0)) free()
    })
    deliveries.add(delivery)
    return delivery
  }

  async function take(records: LogRecord[]): Promise<void> {
    const partition = records[0]?.partition ?? 0
    const progress = partitions.get(partition) ?? offsets()
    partitions.set(partition, progress)
    for (const record of records) {
      await pace?.()
      while (ordering === 'unordered' && deliveries.size >= IN_FLIGHT && !stopping.aborted) {
        await new Promise<void>((resolve) => freed.push(resolve))
      }
      if (stopping.aborted) return
      progress.begin(record.offset)
      const delivery = start(record, progress)
      if (ordering === 'ordered') await delivery
    }
  }

  async function commit(): Promise<void> {
    for (const [partition, progress] of partitions) {
      const offset = progress.take()
      if (offset === undefined) continue
      await consumer
        .commit(partition, offset)
        .catch((error) => logger.warn({ topic, partition, err: error }, 'not committed'))
    }
  }

  async function commitForEver(): Promise<void> {
    while (!stopping.aborted) {
      await clock.sleep(COMMIT_MS, stopping)
      await commit()
    }
  }

  const onError = (error: Error) => logger.warn({ topic, err: error }, 'the source lost the log for a while')
  const maxRecords = spec.maxPollRecords ?? 500
  const consumer = await log.consume({ topic, group, initialOffset, maxRecords, onError }, take)
  const committing = commitForEver()

  return {
    underWay: () => deliveries.size,
    async close() {
      stop.abort()
      for (const free of freed.splice(0)) free()
      const late = new AbortController()
      await Promise.race([Promise.all(deliveries), clock.sleep(STOP_MS, late.signal)])
      late.abort()
      await committing
      await commit()
      await consumer.close()
      await posts.close()
    },
  }
}

const retryHook = ({ onRetry }: SourceParts) => (onRetry ? { onRetry } : {})

/** Lets `records` through in every 200 ms. */
function pacer(clock: Clock, records: number, stopping: AbortSignal): () => Promise<void> {
  let room = 0
  let refill: Promise<void> | undefined
  return async () => {
    while (room === 0 && !stopping.aborted) {
      refill ??= clock.sleep(POLL_MS, stopping).then(() => {
        room = records
        refill = undefined
      })
      await refill
    }
    room--
  }
}
