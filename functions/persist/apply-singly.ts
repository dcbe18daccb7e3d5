import { failureOf } from '#core/failure.ts'
import { BACKOFF_MS } from '#core/kafka-source-policy.ts'
import { isTransient } from '#core/retry.ts'
import { Refused } from '#core/store.ts'
import { type ApplyResult, type Arrival, REPEATED, type WithRetry } from './applier.ts'
import type { BatchParts } from './apply-batch.ts'
import { reportOf, type Unapplied, unappliedOf } from './letter.ts'

/** The first attempt and its three retries. A fifth delivery means that the fourth attempt never came back. */
const MAX_ATTEMPTS = 4
/** The pauses before the retries of a fault. persist waits for the part that a KafkaSource does not wait. */
const RETRY_AFTER_MS = [1000, 2000, 4000]

interface SingleParts extends BatchParts {
  withRetry: WithRetry
}

/** Applies one command, counts its fault, and keeps it as a letter after the last attempt. `counted` is the attempt's number if known. */
export async function applySingly(parts: SingleParts, arrival: Arrival, counted?: number): Promise<ApplyResult> {
  const { applier, attempts, withRetry } = parts
  const { received, refused } = arrival
  if (refused !== undefined) return await park(parts, unappliedOf(received, refused, 0))
  const { id } = received.command
  const count = counted ?? (await withRetry(() => attempts.begin([id]))).get(id) ?? 1
  if (count > MAX_ATTEMPTS) {
    const message = 'no attempt came back: the process did not survive it'
    return await park(parts, unappliedOf(received, { message }, count))
  }
  try {
    const result = await applier.applyOne(arrival, withRetry)
    await attempts.forget([id])
    return count > 1 && result.status === 204 ? REPEATED : result
  } catch (error) {
    if (isTransient(error)) return { status: 503, detail: error.message }
    const failure = failureOf(error)
    const unapplied = unappliedOf(received, failure, count)
    if (error instanceof Refused || count >= MAX_ATTEMPTS) return await park(parts, unapplied)
    return await fail(parts, id, {
      status: 500,
      detail: failure.message,
      delayMs: (RETRY_AFTER_MS[count - 1] ?? 0) - count * BACKOFF_MS,
      report: { ...reportOf(unapplied), ...(failure.frames ? {} : { err: error }) },
    })
  }
}

/** Counts a fault. One that can't be written down is not one yet. */
async function fail({ attempts, withRetry }: SingleParts, id: string, result: ApplyResult): Promise<ApplyResult> {
  try {
    await withRetry(() => attempts.failed(id))
    return result
  } catch (error) {
    if (isTransient(error)) return { status: 503, detail: error.message }
    throw error
  }
}

async function park(
  { applier, attempts, logger, withRetry }: SingleParts,
  unapplied: Unapplied & { stream: string },
): Promise<ApplyResult> {
  const { id, failure } = unapplied
  const report = reportOf(unapplied)
  try {
    await withRetry(() => applier.park(unapplied))
    await attempts.forget([id])
    return { status: 422, detail: failure.message, report }
  } catch (error) {
    if (isTransient(error)) return { status: 503, detail: error.message }
    logger.error({ command: id, err: error }, 'not kept as a letter')
    return { status: 500, detail: failure.message, report }
  }
}
