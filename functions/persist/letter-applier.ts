import { letters } from '#core/collections.ts'
import { rejectionId } from '#core/ledger.ts'
import { letterActionOf } from '#core/letters/action.ts'
import { retryOnConflict } from '#core/retry.ts'
import type { AppendDomain, Command, Fields } from '#domains/domain.ts'
import { appendApplier, appendLedger } from './append.ts'
import type { Applier } from './applier.ts'
import { type RedriveParts, redriveLetters } from './redrive.ts'
import { discardLetter } from './stream.ts'

/**
 * The commands that redrive and discard letters. Each becomes a document with what came of it. A delivery that ends in the
 * middle of a redrive leaves the rest to the next one.
 */
export function letterApplier(domain: AppendDomain, parts: RedriveParts): Applier {
  const { store, clock } = parts
  const { collection, document } = domain.documents
  const requests = appendApplier(domain, parts)
  const ledger = appendLedger(domain, parts)

  async function discard(id: string, reason: string): Promise<Fields> {
    const letter = (await store.get(letters, [id])).get(id)
    if (!letter) return { discarded: 0 }
    const command = String(letter.command ?? letter._id)
    const receipt = {
      _id: letter.key === undefined ? rejectionId(command, String(letter.hash)) : command,
      hash: letter.hash ?? '',
      status: 'rejected',
      reason: `discarded: ${reason}`,
      at: new Date(clock.now()).toISOString(),
    }
    const isDone = await retryOnConflict(() => discardLetter(store, letter, receipt), parts)
    return { discarded: isDone ? 1 : 0 }
  }

  function run(command: Command): Promise<Fields> {
    const action = letterActionOf(command)
    if (action.kind === 'discard') return discard(action.letter, action.reason)
    return redriveLetters(command.id, action.chosen, parts)
  }

  return {
    ...requests,
    /** None at once: each may fail, and then counts on its own. */
    applyAll: async () => new Map(),
    async applyOne(arrival, withRetry) {
      // A command that is a letter itself, or was discarded, does not act.
      const known = (await withRetry(() => ledger.settleKnown([arrival]))).get(arrival)
      if (known) return known
      const { command, hash } = arrival.received
      const done = await withRetry(() => store.get(collection, [command.id]))
      if (!done.has(command.id)) {
        const outcome = await run(command)
        const made = { ...document(command), ...outcome, _id: command.id, _hash: hash }
        await withRetry(() => store.insert(collection, [made]))
      }
      return await requests.applyOne(arrival, withRetry)
    },
  }
}
