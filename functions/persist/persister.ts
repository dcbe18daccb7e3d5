import type { Clock } from '#adapters/clock.ts'
import type { Event, Outcome } from '#adapters/event.ts'
import type { Store } from '#adapters/store/store.ts'
import { logger } from '#adapters/telemetry/logger.ts'
import { Unavailable } from '#adapters/unavailable.ts'
import type { Domain } from '#domains/domain.ts'
import letterCommands from '#domains/letters/domain.ts'
import { letters } from '../collections.ts'
import { commandTypes } from '../domains.ts'
import { appendApplier } from './append.ts'
import { batcher, Full } from './batch.ts'
import { fromSource, type Received, readCommand, streamOf, type Unread } from './command.ts'
import { decideApplier } from './decide.ts'
import { type Answer, type Applier, type Arrival, batchFold, HOLD_MS } from './fold.ts'
import { held } from './held.ts'
import { keepLetter } from './letter.ts'
import { letterApplier } from './redrive.ts'
import { parkStream } from './stream.ts'
import { tries } from './tries.ts'

export interface PersisterParts {
  domains: Domain[]
  store: Store
  clock: Clock
  instance: string
  maxInFlight: number
  onBatch?(topic: string, size: number): void
  onApplied?(domain: string, latencyMs: number): void
}

export interface Persister {
  persist(event: Event): Promise<Outcome>
  /** Resolves once everything under way is answered. */
  close(): Promise<void>
}

/**
 * Whether it came back from the error topic, where a KafkaSource says what went wrong. A letter of it is not answered
 * with 422: it would be copied to that topic for ever.
 */
const isCopy = (event: Event): boolean => event.knativeerrordest !== undefined

/** persist: read the command, apply it with all that is in flight, answer as KafkaSource needs it. */
export function persister(parts: PersisterParts): Persister {
  const { domains, store, clock, instance, maxInFlight } = parts
  const known = { types: commandTypes(domains), topics: new Map(domains.map((domain) => [domain.topic.name, domain])) }
  const attempts = tries(store, instance, clock)
  const bounds = { maxItems: 1000, maxBytes: 8 * 1024 * 1024, maxWaiting: maxInFlight }
  const batchers = new Map(
    domains.map((domain) => {
      const fold = batchFold(applierOf(domain), { tries: attempts, clock })
      return [
        domain.name,
        batcher<Arrival, Answer>(bounds, async (batch) => {
          parts.onBatch?.(domain.topic.name, batch.length)
          return await fold(batch)
        }),
      ]
    }),
  )

  function applierOf(domain: Domain): Applier {
    if (domain.name === letterCommands.name) return letterApplier(known, store, clock)
    return domain.kind === 'append' ? appendApplier(domain, store, clock) : decideApplier(domain, store, clock)
  }

  /** What follows in the stream of a decide domain may depend on it: the stream is parked. */
  async function keep(read: Unread, event: Event): Promise<void> {
    const domain = domains.find(({ name }) => name === read.domain)
    const stream = streamOf(event)
    const letter = { ...read, event, stream }
    if (domain?.kind === 'decide' && stream) await parkStream(store, domain, letter, clock)
    else await keepLetter(store, letter, clock.now())
  }

  async function answer(event: Event): Promise<Answer> {
    if (!fromSource(event)) return { status: 404, detail: 'this did not come from a KafkaSource' }
    const read = readCommand(event, known)
    if (!read.ok) {
      await held(() => keep(read, event), clock.now() + HOLD_MS, clock)
      return { status: 422, detail: read.reason }
    }
    const { domain, command, bytes } = read.received
    if (isCopy(event) && (await isLetter(read.received))) return { status: 204 }
    const done = await batchers.get(domain.name)?.add({ received: read.received, at: clock.now() }, bytes)
    if (done?.status === 204) parts.onApplied?.(domain.name, clock.now() - Date.parse(command.time))
    return done ?? { status: 500, detail: `domain ${domain.name} has no batch` }
  }

  /** The most of what comes back: it was kept before its copy was made, and waits for a redrive. */
  async function isLetter({ command: { id }, hash }: Received): Promise<boolean> {
    const kept = await held(() => store.get(letters, [id]), clock.now() + HOLD_MS, clock)
    return kept.get(id)?.hash === hash
  }

  return {
    async persist(event) {
      const trace = event.traceparent?.split('-')[1]
      try {
        const { delayMs = 0, ...answered } = await answer(event)
        const outcome = answered.status === 422 && isCopy(event) ? { status: 204 as const } : answered
        if (outcome.status === 204) logger.debug({ command: event.id, trace }, 'applied')
        else logger.warn({ command: event.id, trace, ...outcome }, outcome.status === 422 ? 'parked' : 'not applied')
        if (delayMs > 0) await clock.sleep(delayMs)
        return outcome
      } catch (error) {
        if (error instanceof Unavailable || error instanceof Full) {
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
