import type { Clock } from '#core/clock.ts'
import { retryWhileUnavailable } from '#core/retry.ts'
import type { Logger } from '#core/telemetry.ts'
import { Unavailable } from '#core/unavailable.ts'
import { type Applier, type ApplyResult, type Arrival, HOLD_MS, type WithRetry } from './applier.ts'
import { applySingly } from './apply-singly.ts'
import type { AttemptCounter } from './attempts.ts'
import type { Run } from './run.ts'

export interface BatchParts {
  applier: Applier
  attempts: AttemptCounter
  run: Run
  clock: Clock
  logger: Logger
}

const BEHIND_FAILED: ApplyResult = { status: 503, detail: 'behind a command of its stream or with its id that failed' }

/** Applies a batch: all at once, then what is left one by one. */
export async function applyBatch(parts: BatchParts, arrivals: Arrival[]): Promise<Map<Arrival, ApplyResult>> {
  const { applier, attempts, run, clock } = parts
  const batch = inLogOrder(arrivals)
  const contenders = contendersIn(batch)
  const deadline = Math.min(...batch.map(({ at }) => at)) + HOLD_MS
  const withRetry: WithRetry = (work) => retryWhileUnavailable(work, deadline, clock)
  const isRecovering = await withRetry(() => run.isRecoveringFromCrash())
  const before = isRecovering ? await withRetry(() => attempts.before(idsOf(batch))) : undefined
  const suspects = suspectsIn(batch, contenders, applier.isOrdered, ({ received, refused }) => {
    return refused !== undefined || (before?.get(received.command.id) ?? 0) > 0
  })
  const first = batch.filter((arrival) => !suspects.has(arrival))
  const counts = isRecovering ? await withRetry(() => attempts.begin(idsOf(first))) : undefined
  const results = await applyTogether(applier, first, withRetry)
  if (counts) await attempts.forget(idsOf([...results.keys()]))

  const failedStreams = new Set<string>()
  const failedIds = new Set<string>()
  for (const arrival of batch.filter((arrival) => !results.has(arrival))) {
    const { id, stream } = arrival.received.command
    const isBehind = (applier.isOrdered && failedStreams.has(stream)) || (contenders.has(arrival) && failedIds.has(id))
    const result = isBehind ? BEHIND_FAILED : await applySingly({ ...parts, withRetry }, arrival, counts?.get(id))
    if (result.status >= 500) {
      failedStreams.add(stream)
      failedIds.add(id)
    }
    results.set(arrival, result)
  }
  return results
}

async function applyTogether(
  applier: Applier,
  arrivals: Arrival[],
  withRetry: WithRetry,
): Promise<Map<Arrival, ApplyResult>> {
  if (arrivals.length === 0) return new Map()
  try {
    return await applier.applyAll(arrivals, withRetry)
  } catch (error) {
    if (error instanceof Unavailable) throw error
    return new Map()
  }
}

/** The suspects of a batch, and the commands behind them in their streams or with their ids. */
function suspectsIn(
  batch: Arrival[],
  contenders: Set<Arrival>,
  isOrdered: boolean,
  isSuspect: (arrival: Arrival) => boolean,
): Set<Arrival> {
  const streams = new Set<string>()
  const ids = new Set<string>()
  const suspects = new Set<Arrival>()
  for (const arrival of batch) {
    const { id, stream } = arrival.received.command
    const isContender = contenders.has(arrival) && ids.has(id)
    if (!isSuspect(arrival) && !streams.has(stream) && !isContender) continue
    suspects.add(arrival)
    ids.add(id)
    if (isOrdered) streams.add(stream)
  }
  return suspects
}

/** Each id once, however many copies of a command are in the batch. */
const idsOf = (arrivals: Arrival[]): string[] => [...new Set(arrivals.map(({ received }) => received.command.id))]

/**
 * Sorts a batch by acceptance: by offset within a partition, and by time of publishing among partitions. A copy from the
 * error topic has an offset of that topic, so it counts as another partition.
 */
function inLogOrder(arrivals: Arrival[]): Arrival[] {
  const placed: { arrival: Arrival; time: string }[] = []
  for (const own of Map.groupBy(arrivals, partitionOf).values()) {
    // The clocks of two instances may differ, so a command is never earlier than one before it in its partition.
    let time = ''
    for (const arrival of own.sort((a, b) => offsetOf(a) - offsetOf(b))) {
      if (arrival.received.command.time > time) time = arrival.received.command.time
      placed.push({ arrival, time })
    }
  }
  return placed.sort((a, b) => Number(a.time > b.time) - Number(a.time < b.time)).map(({ arrival }) => arrival)
}

const partitionOf = ({ received: { delivery } }: Arrival): string =>
  `${delivery.knativeerrordest ?? ''} ${delivery.knativekafkapartition}`

const offsetOf = ({ received: { delivery } }: Arrival): number => Number(delivery.knativekafkaoffset)

/** The commands of a sorted batch whose id an earlier one has with another body. */
function contendersIn(batch: Arrival[]): Set<Arrival> {
  const hashes = new Map<string, string>()
  const contenders = new Set<Arrival>()
  for (const arrival of batch) {
    const { command, hash } = arrival.received
    const first = hashes.get(command.id) ?? hash
    hashes.set(command.id, first)
    if (first !== hash) contenders.add(arrival)
  }
  return contenders
}
