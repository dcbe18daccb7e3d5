import type { DocumentChange } from '#core/changes.ts'
import { slotIds, withoutGeneration } from '#core/collections.ts'
import { viewsOf } from '#core/registry.ts'
import type { Write } from '#core/store.ts'
import type { DecideDomain, Document, Event, Fields, View } from '#domains/domain.ts'
import type { ApplierParts } from './applier.ts'
import { freeze } from './batch-documents.ts'

/** What events change in views. */
export interface FedViews {
  writes: Write[]
  changes: DocumentChange[]
}

/** An event that changes one document of a view. */
interface Feed {
  event: Event
  key: string
  /** The id of the document, or of the slot that takes this batch. */
  id: string
}

/**
 * The changes that events make in views. The documents are read after the events were decided, and the commit compares their
 * generations: when another writer was first, the whole batch is read and decided again.
 */
export async function feedViews(
  domain: DecideDomain,
  events: Event[],
  { store, random }: Pick<ApplierParts, 'store' | 'random'>,
): Promise<FedViews> {
  const fed = viewsOf(domain).map(async (view) => {
    const feeds = feedsOf(view, events, random())
    if (feeds.length === 0) return []
    const found = await store.get(view.collection, [...new Set(feeds.map(({ id }) => id))])
    return [{ collection: view.collection, found, swap: foldAll(view, feeds, found) }]
  })
  const all = (await Promise.all(fed)).flat()
  return {
    writes: all.map(({ collection, swap }) => ({ collection, swap })),
    changes: all.flatMap(({ collection: { name }, found, swap }) =>
      swap.map((after) => {
        const before = found.get(after._id)
        return { collection: name, before: before && withoutGeneration(before), after: withoutGeneration(after) }
      }),
    ),
  }
}

function feedsOf(view: View, events: Event[], chance: number): Feed[] {
  const slot = Math.floor(chance * slotIds().length)
  return events.flatMap((event) =>
    [...new Set(view.keys(freeze(event)))].map((key) => {
      if (typeof key !== 'string' || (key === '' && !view.isSlotted)) throw new Error(wrongKey(view, event, key))
      return { event, key, id: view.isSlotted ? (slotIds(key)[slot] as string) : key }
    }),
  )
}

const wrongKey = ({ collection }: View, { type }: Event, key: unknown): string =>
  `the view ${collection.name} has the key ${JSON.stringify(key)} for an event ${type}: it must be a text that is not empty`

function foldAll({ zero, fold }: View, feeds: Feed[], found: ReadonlyMap<string, Document>) {
  const folded = new Map<string, Fields>()
  for (const { id, key, event } of feeds) {
    folded.set(id, fold(freeze(folded.get(id) ?? beginningOf(zero, found.get(id))), event, key))
  }
  return [...folded].map(([_id, document]) => {
    const generation = Number(found.get(_id)?.generation ?? 0) + 1
    return { ...document, _id, generation }
  })
}

/** What the first event of a batch changes. A field that was added to the view later begins as in `zero`. */
function beginningOf(zero: Fields, stored: Document | undefined): Fields {
  const { _id, generation, ...fields }: Fields = { ...zero, ...stored }
  return fields
}
