import { appended, discards, letters, receipts } from '#core/collections.ts'
import { type Identity, rejectionId, standingOf } from '#core/ledger.ts'
import { REUSED_KEY, redrivenReceipt, reusedKeyReceipt } from '#core/receipts.ts'
import { retryOnConflict } from '#core/retry.ts'
import type { AppendDomain, Document } from '#domains/domain.ts'
import {
  type ApplierParts,
  type ApplyResult,
  type Arrival,
  DONE,
  REPEATED,
  type RedrivingApplier,
  type WithRetry,
} from './applier.ts'
import { identityOf, type ReceivedCommand } from './command.ts'
import { keepLetter, resultOfLetter } from './letter.ts'

/** An append domain's commands: each becomes one document, all of a batch by one bulk insert. */
export function appendApplier(domain: AppendDomain, parts: ApplierParts): RedrivingApplier {
  const { store, clock } = parts
  const collection = appended(domain)
  const ledger = appendLedger(domain, parts)

  async function insert(arrivals: Arrival[], documents: Document[], withRetry: WithRetry) {
    if (documents.length === 0) return new Map<Arrival, ApplyResult>()
    const present = await withRetry(() => store.insert(collection, documents))
    await withRetry(() => ledger.settleRepeats(arrivals, present))
    const resultOf = ({ received }: Arrival) => (present.has(received.command.id) ? REPEATED : DONE)
    return new Map<Arrival, ApplyResult>(arrivals.map((arrival) => [arrival, resultOf(arrival)]))
  }

  return {
    isOrdered: false,
    async applyAll(arrivals, withRetry) {
      const results = await withRetry(() => ledger.settleKnown(arrivals))
      const { made, documents } = makeDocuments(
        domain,
        arrivals.filter((arrival) => !results.has(arrival)),
      )
      for (const [arrival, result] of await insert(made, documents, withRetry)) results.set(arrival, result)
      return results
    },
    async applyOne(arrival, withRetry) {
      const known = (await withRetry(() => ledger.settleKnown([arrival]))).get(arrival)
      if (known) return known
      const results = await insert([arrival], [toDocument(domain, arrival.received)], withRetry)
      return results.get(arrival) ?? DONE
    },
    async redrive(received, letter) {
      const made = toDocument(domain, received)
      const command = identityOf(received)
      return await retryOnConflict(async () => {
        const [there, documents, ended] = await Promise.all([
          store.get(letters, [letter._id]),
          store.get(collection, [command.id]),
          store.get(receipts, [rejectionId(command.id, command.hash)]),
        ])
        if (!there.has(letter._id)) return undefined
        const { kind } = standingOf(command, { documents })
        const receipt = (kind === 'reused' ? reusedKeyReceipt : redrivenReceipt)(command, clock.now())
        await store.commit([
          { collection, insert: kind === 'new' ? [made] : [] },
          { collection: receipts, insert: ended.has(receipt._id) ? [] : [receipt] },
          { collection: letters, remove: [letter._id] },
        ])
        return kind === 'reused' ? { ...DONE, report: { rejected: REUSED_KEY } } : DONE
      }, parts)
    },
    park: (unapplied) => keepLetter(store, unapplied, clock.now()),
  }
}

const toDocument = ({ documents: { document, retentionDays } }: AppendDomain, received: ReceivedCommand): Document => ({
  ...document(received.command),
  ...(retentionDays === undefined ? {} : { time: received.command.time }),
  _id: received.command.id,
  _hash: received.hash,
})

/** The documents of all commands but those whose code throws: they are tried one by one, where a fault counts. */
function makeDocuments(domain: AppendDomain, arrivals: Arrival[]) {
  const documents: Document[] = []
  const made: Arrival[] = []
  const failed = new Set<string>()
  for (const arrival of arrivals) {
    const { id } = arrival.received.command
    if (failed.has(id)) continue
    try {
      documents.push(toDocument(domain, arrival.received))
      made.push(arrival)
    } catch {
      failed.add(id)
    }
  }
  return { made, documents }
}

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
