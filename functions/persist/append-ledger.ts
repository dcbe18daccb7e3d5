import { appended, discards, letters, receipts } from '#core/collections.ts'
import { type Identity, rejectionId, standingOf } from '#core/ledger.ts'
import { reusedKeyReceipt } from '#core/receipts.ts'
import type { AppendDomain } from '#domains/domain.ts'
import { type ApplierParts, type ApplyResult, type Arrival, DONE } from './applier.ts'
import { identityOf } from './command.ts'
import { resultOfLetter } from './letter.ts'

/** How the commands of an append domain stand, around their bulk insert. */
export interface AppendLedger {
  /** The results of commands whose id has a letter or had one that was discarded. Two reads of nothing are all, as a rule. */
  settleKnown(arrivals: Arrival[]): Promise<Map<Arrival, ApplyResult>>
  /** Rejects commands whose id was `present` with another body. */
  settleRepeats(arrivals: Arrival[], present: Set<string>): Promise<void>
}

export function appendLedger(domain: AppendDomain, { store, clock }: ApplierParts): AppendLedger {
  const collection = appended(domain)

  async function reject(reused: Identity[]): Promise<void> {
    if (reused.length === 0) return
    const now = clock.now()
    await store.insert(
      receipts,
      reused.map((command) => reusedKeyReceipt(command, now)),
    )
  }

  async function hasLettersOrDiscards(): Promise<boolean> {
    const [some, discarded] = await Promise.all([
      store.find(letters, { index: 'domain', where: { domain: domain.name }, limit: 1 }),
      store.get(discards, [domain.name]),
    ])
    return some.length > 0 || discarded.size > 0
  }

  return {
    async settleKnown(arrivals) {
      const results = new Map<Arrival, ApplyResult>()
      if (!(await hasLettersOrDiscards())) return results
      const commands = arrivals.map(({ received }) => identityOf(received))
      const beside = commands.map(({ id, hash }) => rejectionId(id, hash))
      const [kept, ended] = await Promise.all([
        store.get(letters, [...new Set([...commands.map(({ id }) => id), ...beside])]),
        store.get(receipts, [...new Set(beside)]),
      ])
      const reused: Identity[] = []
      for (const arrival of arrivals) {
        const command = identityOf(arrival.received)
        const standing = standingOf(command, { letters: kept, receipts: ended })
        if (standing.kind === 'new') continue
        if (standing.kind === 'reused') reused.push(command)
        results.set(arrival, standing.kind === 'kept' ? resultOfLetter(standing.letter) : DONE)
      }
      await reject(reused)
      return results
    },
    async settleRepeats(arrivals, present) {
      if (present.size === 0) return
      const documents = await store.get(collection, [...present])
      const commands = arrivals.map(({ received }) => identityOf(received))
      await reject(commands.filter((command) => standingOf(command, { documents }).kind === 'reused'))
    },
  }
}
