import type { Clock } from '#core/clock.ts'
import { letters, receipts } from '#core/collections.ts'
import { type Identity, rejectionId, standingOf } from '#core/ledger.ts'
import { retryWhileUnavailable } from '#core/retry.ts'
import type { Store } from '#core/store.ts'
import { type ApplyResult, DONE, HOLD_MS } from './applier.ts'
import { identityOf, type ReceivedCommand } from './command.ts'
import { horizonReason, keepLetter, reportOf, type Unapplied, unappliedOf } from './letter.ts'

/** Keeps deliveries that no batch takes. */
export interface LetterKeeper {
  keep(unapplied: Unapplied): Promise<ApplyResult>
  /** Keeps a command from before the horizon, unless its receipt is still there. An operator decides about it. */
  keepBeyondHorizon(received: ReceivedCommand): Promise<ApplyResult>
  /** True for a copy from the error topic whose letter waits, or was redriven or discarded. Most copies are. */
  isCopyOfKept(copy: Identity): Promise<boolean>
}

export function letterKeeper(store: Store, clock: Clock): LetterKeeper {
  const withRetry = <Result>(work: () => Promise<Result>) => retryWhileUnavailable(work, clock.now() + HOLD_MS, clock)

  /** A letter that was discarded or redriven does not come back. */
  const isEnded = async ({ id, hash }: Identity): Promise<boolean> => {
    const ended = await withRetry(() => store.get(receipts, [rejectionId(id, hash)]))
    return standingOf({ id, hash }, { receipts: ended }).kind === 'settled'
  }

  async function keep(unapplied: Unapplied): Promise<ApplyResult> {
    if (await isEnded(unapplied)) return DONE
    await withRetry(() => keepLetter(store, unapplied, clock.now()))
    return { status: 422, detail: unapplied.failure.message, report: reportOf(unapplied) }
  }

  return {
    keep,
    async keepBeyondHorizon(received) {
      const command = identityOf(received)
      const known = await withRetry(() => store.get(receipts, [command.id]))
      if (standingOf(command, { receipts: known }).kind === 'settled') return DONE
      return await keep({ ...unappliedOf(received, { message: horizonReason(received) }, 0), isBeyondHorizon: true })
    },
    async isCopyOfKept(copy) {
      const kept = await withRetry(() => store.get(letters, [copy.id, rejectionId(copy.id, copy.hash)]))
      return standingOf(copy, { letters: kept }).kind === 'kept' || (await isEnded(copy))
    },
  }
}
