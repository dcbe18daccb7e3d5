import type { Clock } from '#core/clock.ts'
import type { Logger } from '#core/telemetry.ts'
import type { Domain } from '#domains/domain.ts'
import type { Applier, ApplyResult, Arrival } from './applier.ts'
import { applyBatch } from './apply-batch.ts'
import type { AttemptCounter } from './attempts.ts'
import { type Batcher, batcher } from './batch.ts'
import { touchesOf } from './batch-documents.ts'
import type { ReceivedCommand } from './command.ts'
import { domainTurns } from './domain-turns.ts'
import type { Run } from './run.ts'

export interface DomainBatchesParts {
  domains: Domain[]
  applierOf(domain: Domain): Applier
  attempts: AttemptCounter
  run: Run
  clock: Clock
  logger: Logger
  maxInFlight: number
  onBatch?: ((topic: string, size: number) => void) | undefined
}

export interface DomainBatches {
  /** Applies a command with all that is in flight of its domain. */
  add(arrival: Arrival): Promise<ApplyResult>
  /** Resolves once nothing waits and nothing is under way. */
  idle(): Promise<void>
}

/** One batch at a time for each domain. After a crash, one domain at a time, so that no other is taken for its cause. */
export function domainBatches(parts: DomainBatchesParts): DomainBatches {
  const { domains, applierOf, run, clock, maxInFlight, onBatch } = parts
  const turns = domainTurns(clock)
  const bounds = { maxItems: 1000, maxBytes: 8 * 1024 * 1024, maxWaiting: maxInFlight }

  function batcherOf(domain: Domain): Batcher<Arrival, ApplyResult> {
    const applying = { ...parts, applier: applierOf(domain) }
    const limit = () => turns.limit(domain.name)
    return batcher<Arrival, ApplyResult>({ ...bounds, limit }, async (batch) => {
      onBatch?.(domain.topic.name, batch.length)
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
