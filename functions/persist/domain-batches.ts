import type { Clock } from '#core/clock.ts'
import type { Logger, Metrics } from '#core/telemetry.ts'
import type { Domain } from '#domains/domain.ts'
import type { Applier, ApplyResult, Arrival } from './applier.ts'
import { applyBatch } from './apply-batch.ts'
import type { AttemptCounter } from './attempts.ts'
import { type Batcher, batcher } from './batch.ts'
import { touchesOf } from './batch-documents.ts'
import type { ReceivedCommand } from './command.ts'
import type { Run } from './run.ts'

export interface DomainBatchesParts {
  domains: Domain[]
  applierOf(domain: Domain): Applier
  attempts: AttemptCounter
  run: Run
  clock: Clock
  logger: Logger
  maxInFlight: number
  metrics: Pick<Metrics, 'batchSize'>
}

export interface DomainBatches {
  /** Applies a command with all that is in flight of its domain. */
  add(arrival: Arrival): Promise<ApplyResult>
  /** Resolves once nothing waits and nothing is under way. */
  idle(): Promise<void>
}

/** One batch at a time for each domain. After a crash, one domain at a time, so that no other is taken for its cause. */
export function domainBatches(parts: DomainBatchesParts): DomainBatches {
  const { domains, applierOf, run, clock, maxInFlight, metrics } = parts
  const turns = domainTurns(clock)
  const bounds = { maxItems: 1000, maxBytes: 8 * 1024 * 1024, maxWaiting: maxInFlight }

  function batcherOf(domain: Domain): Batcher<Arrival, ApplyResult> {
    const applying = { ...parts, applier: applierOf(domain) }
    const limit = () => turns.limit(domain.name)
    return batcher<Arrival, ApplyResult>({ ...bounds, limit }, async (batch) => {
      metrics.batchSize('persist', domain.topic.name, batch.length)
      const isRecovering = await run.isRecoveringFromCrash().catch(() => undefined)
      if (isRecovering) return await turns.take(domain.name, batch.length, () => applyBatch(applying, batch))
      if (isRecovering === false) turns.end()
      return await applyBatch(applying, batch)
    })
  }

  const batchers = new Map(domains.map((domain) => [domain.name, batcherOf(domain)]))
  return {
    async add(arrival) {
      const { domain } = arrival.received
      const result = await batchers.get(domain.name)?.add(arrival, weightOf(arrival.received))
      return result ?? { status: 500, detail: `domain ${domain.name} has no batch` }
    },
    async idle() {
      await Promise.all([...batchers.values()].map((batcher) => batcher.idle()))
    },
  }
}

/** About what a document that a command touches takes of a batch's bytes. */
const DOCUMENT_BYTES = 1024

function weightOf({ domain, command, bytes }: ReceivedCommand): number {
  if (domain.kind === 'append') return bytes
  try {
    return touchesOf(domain, command).reduce((sum, { ids }) => sum + ids.length * DOCUMENT_BYTES, bytes)
  } catch {
    return bytes // the rules' fault counts when the command is decided on
  }
}

/** The length of a turn while other domains wait: people wait for them. */
const TURN_MS = 100
/** A turn may be so many times longer while no other domain has asked for a while: large batches cost less. */
const ALONE = 5
const ALONE_AFTER_MS = 5000
const FIRST_ITEMS = 16

export interface DomainTurns {
  /** The most items of this domain's next batch. */
  limit(domain: string): number
  /** Runs `work` alone, in the order of the calls. `items` is the size of the batch. */
  take<Result>(domain: string, items: number, work: () => Promise<Result>): Promise<Result>
  /** Ends the limits. */
  end(): void
}

/**
 * One domain works at a time, each in its turn, since none asks again before its batch is done. The time that its last batch
 * took limits a domain's next one, so that a domain with a long backlog does not hold up the others.
 */
export function domainTurns(clock: Clock): DomainTurns {
  let before: Promise<unknown> = Promise.resolve()
  let isEnded = false
  /** The number of items that take TURN_MS, by domain. */
  const sizes = new Map<string, number>()
  const asked = new Map<string, number>()
  const sizeOf = (domain: string) => sizes.get(domain) ?? FIRST_ITEMS

  function shareOf(domain: string): number {
    for (const [other, at] of asked) if (other !== domain && clock.now() - at < ALONE_AFTER_MS) return 1
    return ALONE
  }

  function adjust(domain: string, items: number, tookMs: number): void {
    const share = shareOf(domain)
    if (tookMs > share * TURN_MS) sizes.set(domain, Math.max(1, Math.floor((items * TURN_MS) / tookMs)))
    else if (tookMs < (share * TURN_MS) / 2 && items >= share * sizeOf(domain)) sizes.set(domain, 2 * sizeOf(domain))
  }

  return {
    limit: (domain) => (isEnded ? Number.POSITIVE_INFINITY : shareOf(domain) * sizeOf(domain)),
    take(domain, items, work) {
      asked.set(domain, clock.now())
      const done = before.then(async () => {
        const began = clock.now()
        return await work().finally(() => adjust(domain, items, clock.now() - began))
      })
      before = done.catch(() => undefined)
      return done
    },
    end() {
      isEnded = true
    },
  }
}
