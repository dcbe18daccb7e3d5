import { BoundedMap } from '#core/bounded-map.ts'
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

/** A slot of views with slots, and what its documents are after the commits of this instance. */
interface KeptSlot {
  slot: number
  written: BoundedMap<Document>
}

export interface ViewFeeder {
  /** Calls `commit` with the changes that events make in views. */
  feed(events: Event[], commit: (fed: FedViews) => Promise<void>): Promise<void>
}

/**
 * Feeds the views of a domain. Documents are read after the events were decided, and the commit compares their generations: when
 * another writer was first, the whole batch is read and decided again.
 *
 * Batches keep to a slot, so that what the last one wrote there need not be read. A commit that fails, for whatever reason, gives
 * up the slot and what is known of it.
 */
export function viewFeeder(
  domain: DecideDomain,
  { store, random }: Pick<ApplierParts, 'store' | 'random'>,
): ViewFeeder {
  /** The slots that no batch uses at the moment. */
  const free: KeptSlot[] = []

  async function fedView(view: View, events: Event[], kept: KeptSlot) {
    const feeds = feedsOf(view, events, kept.slot)
    const ids = [...new Set(feeds.map(({ id }) => id))]
    const known = new Map(view.isSlotted ? ids.flatMap((id) => pairOf(id, kept.written.get(keyOf(view, id)))) : [])
    const unknown = ids.filter((id) => !known.has(id))
    const read = unknown.length > 0 ? await store.get(view.collection, unknown) : new Map<string, Document>()
    const found = new Map([...known, ...read])
    return { view, found, swap: foldAll(view, feeds, found) }
  }

  return {
    async feed(events, commit) {
      const kept = free.pop() ?? { slot: Math.floor(random() * slotIds().length), written: new BoundedMap(MAX_WRITTEN) }
      const all = await Promise.all(viewsOf(domain).map((view) => fedView(view, events, kept)))
      const fed = all.filter(({ swap }) => swap.length > 0)
      await commit({
        writes: fed.map(({ view: { collection }, swap }) => ({ collection, swap })),
        changes: fed.flatMap(changesOf),
      })
      for (const { view, swap } of fed) {
        if (view.isSlotted) for (const document of swap) kept.written.set(keyOf(view, document._id), asStored(document))
      }
      free.push(kept)
    },
  }
}

/** The most documents that are known of a slot. */
const MAX_WRITTEN = 1000

/** A document as the store returns it, without fields that are undefined. */
const asStored = (document: Document): Document => JSON.parse(JSON.stringify(document))

const keyOf = ({ collection }: View, id: string): string => `${collection.name} ${id}`

const pairOf = (id: string, document: Document | undefined) => (document ? [[id, document] as const] : [])

const changesOf = ({ view, found, swap }: { view: View; found: ReadonlyMap<string, Document>; swap: Document[] }) =>
  swap.map((after) => {
    const before = found.get(after._id)
    return {
      collection: view.collection.name,
      before: before && withoutGeneration(before),
      after: withoutGeneration(after),
    }
  })

function feedsOf(view: View, events: Event[], slot: number): Feed[] {
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
