import type { Clock } from '#core/clock.ts'
import { appended, attempts, discardsOf, letters, receipts } from '#core/collections.ts'
import { rejectionId } from '#core/receipts.ts'
import type { Store } from '#core/store.ts'
import type { AppendDomain, Document } from '#domains/domain.ts'
import { type ApplyResult, type Arrival, DONE, REPEATED, type RedrivingApplier, type WithRetry } from './apply-batch.ts'
import type { ReceivedCommand } from './command.ts'
import { keepLetter, redrivenReceipt, reusedKeyReceipt, unappliedOf } from './letter.ts'
import { retryOnConflict } from './retries.ts'

/** An append domain's commands: each becomes one document, all of a batch by one bulk insert. */
export function appendApplier(domain: AppendDomain, store: Store, clock: Clock): RedrivingApplier {
  const { document, retentionDays } = domain.documents
  const collection = appended(domain)
  const toDocument = ({ command, hash }: ReceivedCommand): Document => ({
    ...document(command),
    ...(retentionDays === undefined ? {} : { time: command.time }),
    _id: command.id,
    _hash: hash,
  })

  async function insert(arrivals: Arrival[], documents: Document[], withRetry: WithRetry) {
    if (documents.length === 0) return new Map<Arrival, ApplyResult>()
    const present = await withRetry(() => store.insert(collection, documents))
    await withRetry(() => settleRepeats(arrivals, present))
    const answerTo = ({ received }: Arrival) => (present.has(received.command.id) ? REPEATED : DONE)
    return new Map<Arrival, ApplyResult>(arrivals.map((arrival) => [arrival, answerTo(arrival)]))
  }

  /**
   * Those whose id has a letter, or whose letter was discarded, are settled: what is first under an id stays. Nearly always
   * there is neither, and two reads of nothing tell so.
   */
  async function settledBefore(arrivals: Arrival[]): Promise<Map<Arrival, ApplyResult>> {
    const discards = discardsOf(domain.name)
    const [some, discarded] = await Promise.all([
      store.find(letters, { index: 'domain', where: { domain: domain.name }, limit: 1 }),
      store.get(attempts, [discards]),
    ])
    if (some.length === 0 && discarded.size === 0) return new Map()
    const named = arrivals.map((arrival) => ({ arrival, id: arrival.received.command.id, hash: arrival.received.hash }))
    const [kept, ended] = await Promise.all([
      store.get(letters, [...new Set(named.flatMap(({ id, hash }) => [id, rejectionId(id, hash)]))]),
      store.get(receipts, [...new Set(named.map(({ id, hash }) => rejectionId(id, hash)))]),
    ])
    const answers = new Map<Arrival, ApplyResult>()
    const reused: Document[] = []
    for (const { arrival, id, hash } of named) {
      const letter = [kept.get(id), kept.get(rejectionId(id, hash))].find((letter) => letter?.hash === hash)
      if (letter) answers.set(arrival, { status: 422, detail: String(letter.error) })
      else if (ended.has(rejectionId(id, hash))) answers.set(arrival, DONE)
      else if (kept.has(id)) {
        reused.push(reusedKeyReceipt({ id, hash }, clock.now()))
        answers.set(arrival, DONE)
      }
    }
    if (reused.length > 0) await store.insert(receipts, reused)
    return answers
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
      reused.map(({ received: { command, hash } }) => reusedKeyReceipt({ id: command.id, hash }, now)),
    )
  }

  return {
    isOrdered: false,
    async applyAll(arrivals, withRetry) {
      const answers = await withRetry(() => settledBefore(arrivals))
      const documents: Document[] = []
      const folded: Arrival[] = []
      const failed = new Set<string>()
      for (const arrival of arrivals.filter((arrival) => !answers.has(arrival))) {
        const { id } = arrival.received.command
        if (failed.has(id)) continue
        try {
          documents.push(toDocument(arrival.received))
          folded.push(arrival)
        } catch {
          failed.add(id) // tried alone, where its fault is counted
        }
      }
      for (const [arrival, answer] of await insert(folded, documents, withRetry)) answers.set(arrival, answer)
      return answers
    },
    async applyOne(arrival, withRetry) {
      const settled = (await withRetry(() => settledBefore([arrival]))).get(arrival)
      if (settled) return settled
      const answers = await insert([arrival], [toDocument(arrival.received)], withRetry)
      return answers.get(arrival) ?? DONE
    },
    async redrive(received, letter) {
      const made = toDocument(received)
      await retryOnConflict(async () => {
        const named = { id: made._id, hash: received.hash }
        const [there, stored, ended] = await Promise.all([
          store.get(letters, [letter._id]),
          store.get(collection, [made._id]),
          store.get(receipts, [rejectionId(named.id, named.hash)]),
        ])
        if (!there.has(letter._id)) return
        const first = stored.get(made._id)
        const isReused = first !== undefined && first._hash !== made._hash
        const receipt = isReused ? reusedKeyReceipt(named, clock.now()) : redrivenReceipt(named, clock.now())
        await store.commit([
          { collection, insert: first ? [] : [made] },
          { collection: receipts, insert: ended.size > 0 ? [] : [receipt] },
          { collection: letters, remove: [letter._id] },
        ])
      }, clock)
    },
    park: ({ received }, reason, attempts) => keepLetter(store, unappliedOf(received, reason, attempts), clock.now()),
  }
}
