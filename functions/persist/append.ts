import type { Clock } from '#adapters/clock.ts'
import type { Store } from '#adapters/store/store.ts'
import type { AppendDomain, Document } from '#domains/domain.ts'
import { appended, receipts } from '../collections.ts'
import type { Received } from './command.ts'
import { type Answer, type Applier, type Arrival, DONE, type Patiently } from './fold.ts'
import { keepLetter, reusedKey, unappliedOf } from './letter.ts'

/** An append domain's commands: each becomes one document, all of a batch by one bulk insert. */
export function appendApplier(domain: AppendDomain, store: Store, clock: Clock): Applier {
  const { document, retentionDays } = domain.documents
  const collection = appended(domain)
  const toDocument = ({ command, hash }: Received): Document => ({
    ...document(command),
    ...(retentionDays === undefined ? {} : { time: command.time }),
    _id: command.id,
    _hash: hash,
  })

  async function insert(arrivals: Arrival[], documents: Document[], patiently: Patiently) {
    const present = await patiently(() => store.insert(collection, documents))
    await patiently(() => settleRepeats(arrivals, present))
    return new Map<Arrival, Answer>(arrivals.map((arrival) => [arrival, DONE]))
  }

  /** A command that was there before is done if its body is the same; another body under its id is rejected. */
  async function settleRepeats(arrivals: Arrival[], present: Set<string>): Promise<void> {
    if (present.size === 0) return
    const stored = await store.get(collection, [...present])
    const reused = arrivals.filter(({ received: { command, hash } }) => {
      const first = stored.get(command.id)
      return first !== undefined && first._hash !== hash
    })
    if (reused.length === 0) return
    const now = clock.now()
    await store.insert(
      receipts,
      reused.map(({ received: { command, hash } }) => reusedKey({ id: command.id, hash }, now)),
    )
  }

  return {
    isOrdered: false,
    async together(arrivals, patiently) {
      const documents: Document[] = []
      const folded: Arrival[] = []
      for (const arrival of arrivals) {
        try {
          documents.push(toDocument(arrival.received))
          folded.push(arrival)
        } catch {
          // tried alone, where its fault is counted
        }
      }
      return await insert(folded, documents, patiently)
    },
    async alone(arrival, patiently) {
      await insert([arrival], [toDocument(arrival.received)], patiently)
      return DONE
    },
    park: ({ received }, reason, attempts) => keepLetter(store, unappliedOf(received, reason, attempts), clock.now()),
  }
}
