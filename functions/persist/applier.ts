import type { Clock } from '#core/clock.ts'
import type { Outcome } from '#core/delivery.ts'
import type { Failure } from '#core/failure.ts'
import type { Random } from '#core/random.ts'
import type { Store } from '#core/store.ts'
import type { Document } from '#domains/domain.ts'
import type { ReceivedCommand } from './command.ts'
import type { Unapplied } from './letter.ts'

/** What every applier works with. */
export interface ApplierParts {
  store: Store
  clock: Clock
  random: Random
}

/** A command that waits for its batch. */
export interface Arrival {
  received: ReceivedCommand
  at: number
  /** The reason why its value is unreadable. It is kept as a letter when its turn in the stream has come. */
  refused?: Failure
}

/** The outcome of a delivery, and how it came about. `report` has what the log line says beside the outcome. */
export type ApplyResult = Outcome & { delayMs?: number; isRepeat?: true; report?: object }

export const DONE: ApplyResult = { status: 204 }
/** The command was settled before this delivery. */
export const REPEATED: ApplyResult = { status: 204, isRepeat: true }

/** The longest time that persist holds a delivery: less than the 60 s that a KafkaSource waits, with room for the last look at the store. */
export const HOLD_MS = 45_000

/** Repeats `work` through an outage, for as long as the batch may be held. */
export type WithRetry = <Result>(work: () => Promise<Result>) => Promise<Result>

/**
 * How the commands of one domain are applied. Every method rejects with `Unavailable` in an outage, and with `Conflict` when
 * other writers were first again and again.
 */
export interface Applier {
  /** True when a command must not run before an earlier one of its stream in the batch. */
  isOrdered: boolean
  /**
   * Applies a batch at once; among commands with one id the first. A command that its own fault stops has no result, and
   * neither has another one with its id.
   */
  applyAll(arrivals: Arrival[], withRetry: WithRetry): Promise<Map<Arrival, ApplyResult>>
  /** Applies one command. Rejects with its fault. */
  applyOne(arrival: Arrival, withRetry: WithRetry): Promise<ApplyResult>
  /** Keeps a command as a letter. */
  park(unapplied: Unapplied & { stream: string }): Promise<void>
}

export interface RedrivingApplier extends Applier {
  /**
   * Applies a letter and removes it, unless it is gone. The letter is the first of a parked stream, whose last letter unparks
   * it, or it belongs to no parked stream. Whoever redrives or discards the latter inserts its receipt in the same commit, so
   * two operators conflict there. Resolves with its result, or with nothing if the letter is gone.
   */
  redrive(received: ReceivedCommand, letter: Document): Promise<ApplyResult | undefined>
}
