import type { Clock } from '#core/clock.ts'
import type { Outcome } from '#core/delivery.ts'
import { BACKOFF_MS } from '#core/kafka-source-policy.ts'
import { Refused } from '#core/store.ts'
import type { Logger } from '#core/telemetry.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document } from '#domains/domain.ts'
import type { AttemptCounter } from './attempts.ts'
import type { ReceivedCommand } from './command.ts'
import { contendersIn, inLogOrder } from './log-order.ts'
import { HOLD_MS, isTransient, retryWhileUnavailable } from './retries.ts'

/** The first try and its three retries; a fifth delivery means that the fourth never came back. */
const MAX_ATTEMPTS = 4
/** When a fault is tried again; what a KafkaSource does not wait of it, persist waits before its answer. */
const RETRY_AFTER_MS = [1000, 2000, 4000]

export interface Arrival {
  received: ReceivedCommand
  at: number
  /** Why it can't be read. It is kept as a letter when its turn in the stream has come. */
  refused?: string
}

export type ApplyResult = Outcome & { delayMs?: number; isRepeat?: true }

export const DONE: ApplyResult = { status: 204 }
/** It was done before this delivery. */
export const REPEATED: ApplyResult = { status: 204, isRepeat: true }
const BEHIND: ApplyResult = { status: 503, detail: 'behind a command of its stream or with its id that failed' }

/** Repeats what ends in an outage, for as long as the batch may be held. */
export type WithRetry = <Result>(work: () => Promise<Result>) => Promise<Result>

/**
 * How the commands of one domain are applied. Everything rejects with `Unavailable` in an outage, and with `Conflict` where
 * others were faster again and again.
 */
export interface Applier {
  /** Whether a command must not run before one of its stream that went before it in the batch. */
  isOrdered: boolean
  /**
   * Applies them all at once, of those with one id the first; those whose own fault keeps them from it are left out of the
   * answers, and so is what has the id of such a one.
   */
  applyAll(arrivals: Arrival[], withRetry: WithRetry): Promise<Map<Arrival, ApplyResult>>
  /** Applies one; rejects with what is wrong with it. */
  applyOne(arrival: Arrival, withRetry: WithRetry): Promise<ApplyResult>
  /** Keeps it as a letter. */
  park(arrival: Arrival, reason: string, attempts: number): Promise<void>
}

export interface RedrivingApplier extends Applier {
  /**
   * Applies a letter and removes it, unless it is gone already: the first of a parked stream, whose last one sets the stream
   * going again, or one that no stream is parked behind. Who ends a letter without a stream writes its receipt, and is the only one.
   */
  redrive(received: ReceivedCommand, letter: Document): Promise<void>
}

/** Applies a batch: all at once, then what is left one by one. */
export function batchApplier(
  applier: Applier,
  { attempts, clock, logger }: { attempts: AttemptCounter; clock: Clock; logger: Logger },
) {
  return async function fold(arrivals: Arrival[]): Promise<Map<Arrival, ApplyResult>> {
    const batch = inLogOrder(arrivals)
    const contenders = contendersIn(batch)
    const deadline = Math.min(...batch.map(({ at }) => at)) + HOLD_MS
    const withRetry: WithRetry = (work) => retryWhileUnavailable(work, deadline, clock)
    const careful = await withRetry(() => attempts.isRecoveringFromCrash())
    const before = careful ? await withRetry(() => attempts.before(idsOf(batch))) : undefined
    const { first, rest } = split(
      batch,
      contenders,
      ({ received, refused }) => refused !== undefined || (before?.get(received.command.id) ?? 0) > 0,
    )
    const counts = careful ? await withRetry(() => attempts.begin(idsOf(first))) : undefined
    const answers = await allAtOnce(first)
    if (counts) await attempts.forget(idsOf([...answers.keys()])).catch(ignoreOutage)
    const failed = new Set<string>()
    const failedIds = new Set<string>()
    for (const arrival of batch.filter((arrival) => rest.has(arrival) || !answers.has(arrival))) {
      const { id, stream } = arrival.received.command
      const isBehind = (applier.isOrdered && failed.has(stream)) || (contenders.has(arrival) && failedIds.has(id))
      const answer = isBehind ? BEHIND : await tryAlone(arrival, counts?.get(id))
      if (answer.status >= 500) {
        failed.add(stream)
        failedIds.add(id)
      }
      answers.set(arrival, answer)
    }
    return answers

    async function allAtOnce(arrivals: Arrival[]): Promise<Map<Arrival, ApplyResult>> {
      if (arrivals.length === 0) return new Map()
      try {
        return await applier.applyAll(arrivals, withRetry)
      } catch (error) {
        if (error instanceof Unavailable) throw error
        return new Map()
      }
    }

    async function tryAlone(arrival: Arrival, counted?: number): Promise<ApplyResult> {
      if (arrival.refused !== undefined) return await park(arrival, arrival.refused, 0)
      const { id } = arrival.received.command
      const count = counted ?? (await withRetry(() => attempts.begin([id]))).get(id) ?? 1
      if (count > MAX_ATTEMPTS)
        return await park(arrival, 'no attempt came back: the process did not survive it', count)
      try {
        const answer = await applier.applyOne(arrival, withRetry)
        await attempts.forget([id]).catch(ignoreOutage)
        return count > 1 && answer.status === 204 ? REPEATED : answer
      } catch (error) {
        if (isTransient(error)) return { status: 503, detail: error.message }
        const reason = error instanceof Error ? error.message : String(error)
        if (error instanceof Refused || count >= MAX_ATTEMPTS) return await park(arrival, reason, count)
        return await faulty(id, {
          status: 500,
          detail: reason,
          delayMs: (RETRY_AFTER_MS[count - 1] ?? 0) - count * BACKOFF_MS,
        })
      }
    }

    /** A fault that can't be written down is not one yet. */
    async function faulty(id: string, answer: ApplyResult): Promise<ApplyResult> {
      try {
        await withRetry(() => attempts.failed(id))
        return answer
      } catch (error) {
        if (isTransient(error)) return { status: 503, detail: error.message }
        throw error
      }
    }

    async function park(arrival: Arrival, reason: string, count: number): Promise<ApplyResult> {
      try {
        await withRetry(() => applier.park(arrival, reason, count))
        await attempts.forget(idsOf([arrival])).catch(ignoreOutage)
        return { status: 422, detail: reason }
      } catch (error) {
        if (isTransient(error)) return { status: 503, detail: error.message }
        logger.error({ command: arrival.received.command.id, err: error }, 'not kept as a letter')
        return { status: 500, detail: reason }
      }
    }
  }

  /** Sets suspects aside, and what is behind them in their streams or has their ids. */
  function split(batch: Arrival[], contenders: Set<Arrival>, isSuspect: (arrival: Arrival) => boolean) {
    const streams = new Set<string>()
    const ids = new Set<string>()
    const rest = new Set<Arrival>()
    for (const arrival of batch) {
      const { id, stream } = arrival.received.command
      const isContender = contenders.has(arrival) && ids.has(id)
      if (!isSuspect(arrival) && !streams.has(stream) && !isContender) continue
      rest.add(arrival)
      ids.add(id)
      if (applier.isOrdered) streams.add(stream)
    }
    return { first: batch.filter((arrival) => !rest.has(arrival)), rest }
  }
}

/** Each once, however many copies of a command are in the batch. */
const idsOf = (arrivals: Arrival[]): string[] => [...new Set(arrivals.map(({ received }) => received.command.id))]

/** Counts that stay behind expire; they cost a command no more than being tried alone. */
function ignoreOutage(error: unknown): void {
  if (!(error instanceof Unavailable)) throw error
}
