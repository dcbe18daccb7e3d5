import { changes, eventId, events, heads, letters, receipts, streamKey } from '#core/collections.ts'
import { retryOnConflict } from '#core/retry.ts'
import type { Write } from '#core/store.ts'
import type { DecideDomain, Document, Event } from '#domains/domain.ts'
import { type ApplierParts, type Arrival, DONE, type RedrivingApplier } from './applier.ts'
import { changeRecords } from './changes.ts'
import type { ReceivedCommand } from './command.ts'
import { keyOf, loadBatch } from './decide-load.ts'
import { type Plan, planBatch } from './decide-plan.ts'
import { parkStream, toSwap } from './stream.ts'
import { viewFeeder } from './views.ts'

/** Then one by one, so that a hot stream holds up no other. */
const MAX_CONFLICTS_OF_A_BATCH = 3

/** A decide domain's commands: load what the batch needs, decide without a look at the store, feed the views, commit the plan. */
export function decideApplier(domain: DecideDomain, parts: ApplierParts): RedrivingApplier {
  const { store, clock } = parts
  const commit = planCommitter(domain, parts)

  async function round(batch: ReceivedCommand[]): Promise<Plan> {
    const loaded = await loadBatch(domain, batch, parts)
    const plan = planBatch(domain, batch, loaded, clock.now())
    await commit(plan)
    return plan
  }

  /** One command; its fault is thrown, and nothing is written. */
  async function roundOfOne(received: ReceivedCommand, redriven?: Document): Promise<Plan> {
    const loaded = await loadBatch(domain, [received], parts, redriven)
    const plan = planBatch(domain, [received], loaded, clock.now())
    if (plan.faults.has(received)) throw plan.faults.get(received)
    await commit(plan)
    return plan
  }

  return {
    isOrdered: true,
    async applyAll(arrivals, withRetry) {
      const batch = new Map(arrivals.map((arrival) => [arrival.received, arrival]))
      const work = () => withRetry(() => round([...batch.keys()]))
      const { results } = await retryOnConflict(work, parts, MAX_CONFLICTS_OF_A_BATCH)
      return new Map([...results].map(([received, result]) => [batch.get(received) as Arrival, result]))
    },
    async applyOne({ received }, withRetry) {
      const { results } = await retryOnConflict(() => withRetry(() => roundOfOne(received)), parts)
      return results.get(received) ?? DONE
    },
    async redrive(received, letter) {
      const { key = keyOf(received) } = letter
      if (keyOf(received) !== key)
        throw new Error(`the command belongs to stream ${keyOf(received)} now, and its letter to ${key}`)
      return await retryOnConflict(async () => {
        const there = await store.get(letters, [letter._id])
        if (!there.has(letter._id)) return undefined
        const { results } = await roundOfOne(received, letter)
        return results.get(received)
      }, parts)
    },
    park: (unapplied) => parkStream(domain, unapplied, parts),
  }
}

/**
 * Writes a plan and its views, all of it or nothing. Two writers of one stream conflict at its head, of one command at its receipt,
 * and of one document of a view at its generation.
 */
const planCommitter = (domain: DecideDomain, parts: ApplierParts) => {
  const feeder = viewFeeder(domain, parts)
  return (plan: Plan): Promise<void> =>
    feeder.feed(plan.events, async (views) => {
      const records = changeRecords(domain, [...plan.changes, ...views.changes], plan.events)
      const changeWrites = records.length > 0 ? [{ collection: changes, insert: records }] : []
      const writes = [...writesOf(domain, plan), ...views.writes, ...changeWrites]
      if (writes.length > 0) await parts.store.commit(writes)
    })
}

function writesOf({ name }: DecideDomain, plan: Plan): Write[] {
  const writes: Write[] = [
    { collection: heads, swap: plan.heads.map(toSwap) },
    { collection: events, insert: plan.events.map((event) => eventDocument(name, event)) },
    { collection: receipts, insert: plan.receipts, put: plan.reusedKeys },
    { collection: letters, put: plan.letters, remove: plan.removedLetters },
    ...plan.documents,
  ]
  return writes.filter(({ collection: _, ...kinds }) => Object.values(kinds).some((some) => some.length > 0))
}

const eventDocument = (domain: string, event: Event): Document => ({
  _id: eventId(domain, event),
  key: streamKey(domain, event.stream),
  ...event,
})
