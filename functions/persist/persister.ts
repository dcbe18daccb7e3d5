import type { Clock } from '#core/clock.ts'
import { letters, receipts } from '#core/collections.ts'
import type { Delivery, Outcome } from '#core/delivery.ts'
import letterCommands from '#core/letters/domain.ts'
import { rejectionId } from '#core/receipts.ts'
import { commandTypes } from '#core/registry.ts'
import type { Store } from '#core/store.ts'
import type { Logger } from '#core/telemetry.ts'
import type { Domain } from '#domains/domain.ts'
import { appendApplier } from './append.ts'
import { type Applier, type ApplyResult, type Arrival, batchApplier, DONE } from './apply-batch.ts'
import { attemptCounter } from './attempts.ts'
import { batcher, Full } from './batch.ts'
import { fromSource, type Read, type ReceivedCommand, readCommand, type Unreadable, unreadable } from './command.ts'
import { decideApplier } from './decide.ts'
import { domainTurns } from './domain-turns.ts'
import { deliveryHistory } from './first-delivery.ts'
import { isBeyondHorizon, keepLetter, pastReason, type Unapplied, unappliedOf } from './letter.ts'
import { letterApplier } from './redrive.ts'
import { HOLD_MS, isTransient, retryWhileUnavailable } from './retries.ts'
import { textOf } from './value.ts'
import { judge, type Trust } from './verdict.ts'
import { touchesOf } from './view.ts'

export interface PersisterParts {
  domains: Domain[]
  store: Store
  clock: Clock
  logger: Logger
  instance: string
  maxInFlight: number
  trust: Trust
  onBatch?(topic: string, size: number): void
  /** `isFirst`: by its first delivery, as far as this instance knows. */
  onApplied?(domain: string, latencyMs: number, isFirst: boolean): void
}

export interface Persister {
  persist(event: Delivery): Promise<Outcome>
  /** Resolves once everything under way is answered. */
  close(): Promise<void>
}

/**
 * Whether it came back from the error topic, where a KafkaSource says what went wrong. A letter of it is not answered
 * with 422: it would be copied to that topic for ever.
 */
const isCopy = (event: Delivery): boolean => event.knativeerrordest !== undefined

/** True for a command whose document would be removed at once: it has been there before, or its time has passed. */
const isExpired = (domain: Domain, age: number): boolean =>
  domain.kind === 'append' && age > (domain.documents.retentionDays ?? Number.POSITIVE_INFINITY) * DAY_MS

const DAY_MS = 86_400_000

/** What a document that a command touches takes of a batch's bytes, about. */
const DOCUMENT_BYTES = 1024

function weightOf({ domain, command, bytes }: ReceivedCommand): number {
  if (domain.kind === 'append') return bytes
  try {
    return touchesOf(domain, command).reduce((sum, { ids }) => sum + ids.length * DOCUMENT_BYTES, bytes)
  } catch {
    return bytes // found out when it is decided on
  }
}

/** persist: read the command, apply it with all that is in flight, answer as KafkaSource needs it. */
export function persister(parts: PersisterParts): Persister {
  const { domains, clock, logger, instance, maxInFlight, trust } = parts
  const delivered = deliveryHistory(clock)
  const store = delivered.watched(parts.store)
  const known = { types: commandTypes(domains), topics: new Map(domains.map((domain) => [domain.topic.name, domain])) }
  const verdictOn = judge(trust, new Set(domains.flatMap(({ topic }) => topic.plain ?? [])))
  const attempts = attemptCounter(store, instance, clock)
  /** After a crash one domain at a time, so that none is taken for the cause that was only under way beside it. */
  const inTurn = domainTurns(clock)
  const bounds = { maxItems: 1000, maxBytes: 8 * 1024 * 1024, maxWaiting: maxInFlight }
  const batchers = new Map(
    domains.map((domain) => {
      const fold = batchApplier(applierOf(domain), { attempts, clock, logger })
      return [
        domain.name,
        batcher<Arrival, ApplyResult>({ ...bounds, limit: () => inTurn.limit(domain.name) }, async (batch) => {
          parts.onBatch?.(domain.topic.name, batch.length)
          const careful = await attempts.isRecoveringFromCrash().catch(() => undefined)
          if (careful) return await inTurn.take(domain.name, batch.length, () => fold(batch))
          if (careful === false) inTurn.end()
          return await fold(batch)
        }),
      ]
    }),
  )

  function applierOf(domain: Domain): Applier {
    if (domain.name === letterCommands.name) return letterApplier(known, verdictOn, store, clock)
    return domain.kind === 'append' ? appendApplier(domain, store, clock) : decideApplier(domain, store, clock)
  }

  const withRetry = <Result>(work: () => Promise<Result>) => retryWhileUnavailable(work, clock.now() + HOLD_MS, clock)

  async function answer(event: Delivery): Promise<ApplyResult> {
    if (!fromSource(event)) return { status: 404, detail: 'this did not come from a KafkaSource' }
    const text = textOf(event.data)
    const read = readCommand(event, known, verdictOn(event, text), text)
    if (isCopy(event) && (await isSettled(read))) return DONE
    return read.ok ? await apply(read.received) : await keep(read, event)
  }

  async function apply(received: ReceivedCommand): Promise<ApplyResult> {
    const { domain, command } = received
    const age = clock.now() - Date.parse(command.time)
    if (isBeyondHorizon(received, clock.now())) return await keepPast(received)
    if (isExpired(domain, age)) return DONE
    const answered = await inBatch({ received, at: clock.now() })
    if (answered.status === 204) {
      const isFirst = delivered.isFirst(received.event.id, Date.parse(command.time)) && answered.isRepeat === undefined
      parts.onApplied?.(domain.name, clock.now() - Date.parse(command.time), isFirst)
    }
    return answered
  }

  async function inBatch(arrival: Arrival): Promise<ApplyResult> {
    const { domain } = arrival.received
    const answered = await batchers.get(domain.name)?.add(arrival, weightOf(arrival.received))
    return answered ?? { status: 500, detail: `domain ${domain.name} has no batch` }
  }

  /** What follows in the stream of a decide domain may depend on it: it is kept in its turn, and the stream is parked. */
  async function keep(read: Unreadable, event: Delivery): Promise<ApplyResult> {
    const { domain, stream, reason } = read
    if (domain?.kind === 'decide' && stream) {
      return await inBatch({ received: unreadable(read, domain, stream, event), at: clock.now(), refused: reason })
    }
    return await keepAlone({ ...read, event, domain: domain?.name })
  }

  /** Its receipt has expired: nobody knows any more whether it took effect, so an operator has to say. */
  async function keepPast(received: ReceivedCommand): Promise<ApplyResult> {
    const { id } = received.command
    const known = await withRetry(() => store.get(receipts, [id]))
    if (known.get(id)?.hash === received.hash) return DONE
    return await keepAlone({ ...unappliedOf(received, pastReason(received), 0), isBeyondHorizon: true })
  }

  async function keepAlone(unapplied: Unapplied): Promise<ApplyResult> {
    if (await isEnded(unapplied)) return DONE
    await withRetry(() => keepLetter(store, unapplied, clock.now()))
    return { status: 422, detail: unapplied.reason }
  }

  /** Discarded or redriven: it does not become a letter again. */
  async function isEnded({ id, hash }: Pick<Unapplied, 'id' | 'hash'>): Promise<boolean> {
    const name = rejectionId(id, hash)
    return (await withRetry(() => store.get(receipts, [name]))).has(name)
  }

  /** The most of what comes back: it was kept before its copy was made, and waits for a redrive or was discarded. */
  async function isSettled(read: Read): Promise<boolean> {
    const { id, hash } = read.ok ? { id: read.received.command.id, hash: read.received.hash } : read
    const beside = rejectionId(id, hash)
    const kept = await withRetry(() => store.get(letters, [id, beside]))
    return kept.get(id)?.hash === hash || kept.has(beside) || (await isEnded({ id, hash }))
  }

  return {
    async persist(event) {
      const trace = event.traceparent?.split('-')[1]
      try {
        const { delayMs = 0, isRepeat: _, ...answered } = await answer(event)
        const outcome = answered.status === 422 && isCopy(event) ? { status: 204 as const } : answered
        if (outcome.status === 204) logger.debug({ command: event.id, trace }, 'applied')
        else logger.warn({ command: event.id, trace, ...outcome }, outcome.status === 422 ? 'parked' : 'not applied')
        if (outcome.status >= 500) delivered.refused(event.id)
        if (delayMs > 0) await clock.sleep(delayMs)
        return outcome
      } catch (error) {
        delivered.refused(event.id)
        if (isTransient(error) || error instanceof Full) {
          logger.warn({ command: event.id, trace, detail: error.message }, 'not applied')
          return { status: 503, detail: error.message }
        }
        logger.error({ command: event.id, trace, err: error }, 'not applied')
        return { status: 500, detail: 'internal error' }
      }
    },
    async close() {
      await Promise.all([...batchers.values()].map((batcher) => batcher.idle()))
      await attempts.end()
    },
  }
}
