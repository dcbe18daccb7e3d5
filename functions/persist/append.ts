import { appended, letters, receipts } from '#core/collections.ts'
import { rejectionId, standingOf } from '#core/ledger.ts'
import { redrivenReceipt, reusedKeyReceipt } from '#core/receipts.ts'
import type { AppendDomain, Document } from '#domains/domain.ts'
import { appendLedger } from './append-ledger.ts'
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
import { keepLetter, unappliedOf } from './letter.ts'
import { retryOnConflict } from './retries.ts'

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
      await retryOnConflict(async () => {
        const [there, documents, ended] = await Promise.all([
          store.get(letters, [letter._id]),
          store.get(collection, [command.id]),
          store.get(receipts, [rejectionId(command.id, command.hash)]),
        ])
        if (!there.has(letter._id)) return
        const { kind } = standingOf(command, { documents })
        const receipt = (kind === 'reused' ? reusedKeyReceipt : redrivenReceipt)(command, clock.now())
        await store.commit([
          { collection, insert: kind === 'new' ? [made] : [] },
          { collection: receipts, insert: ended.has(receipt._id) ? [] : [receipt] },
          { collection: letters, remove: [letter._id] },
        ])
      }, parts)
    },
    park: ({ received }, reason, attempts) => keepLetter(store, unappliedOf(received, reason, attempts), clock.now()),
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
