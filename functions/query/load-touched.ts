import { readCollections } from '#core/registry.ts'
import type { Store } from '#core/store.ts'
import type { Collection, Document, DocumentReader, Domain, Touch } from '#domains/domain.ts'

const MAX_ROUNDS = 4

/** The documents of one collection by id; `undefined` for an id that was read and does not exist. */
type Loaded = Map<string, Document | undefined>

/** What names the documents of each item. */
export interface Naming<Item> {
  /** The member of the query that the author wrote, for errors. */
  member: 'join' | 'touches' | 'parent.touches'
  touches(item: Item, documents: DocumentReader): Touch[]
}

/**
 * Loads, for each item, the documents that `touches` names for it. It calls `touches` again with what it has loaded, until nothing
 * new is named. Each round costs one read for each collection, however many items there are. During the rounds a document
 * that was not named is `undefined`; afterwards asking for it is an error.
 */
export async function loadTouched<Item>(
  store: Pick<Store, 'get'>,
  domain: Domain,
  items: Item[],
  { member, touches }: Naming<Item>,
): Promise<DocumentReader[]> {
  const collections = readCollections(domain)
  const loaded = new Map(collections.map(({ name }) => [name, new Map() as Loaded]))
  const named = items.map(() => new Set<string>())
  let isLoading = true
  const readers = named.map(
    (names): DocumentReader => ({
      get(collection, id) {
        const isNamed = names.has(`${collection} ${id}`)
        if (!isNamed && !isLoading)
          throw new Error(`${member} names no "${id}" of collection ${collection}. Add it to what ${member} returns.`)
        return isNamed ? loaded.get(collection)?.get(id) : undefined
      },
    }),
  )

  /** The ids that `touches` names for the first time, by collection. */
  function newlyNamed(): Map<string, Set<string>> {
    const wanted = new Map<string, Set<string>>()
    for (const [at, item] of items.entries()) {
      for (const { collection, ids } of touches(item, readers[at] as DocumentReader)) {
        for (const id of ids) {
          named[at]?.add(`${collection} ${id}`)
          if (loaded.get(collection)?.has(id)) continue
          wanted.set(collection, (wanted.get(collection) ?? new Set()).add(id))
        }
      }
    }
    return wanted
  }

  async function load(name: string, ids: string[]): Promise<void> {
    const collection = collections.find((one): one is Collection => one.name === name)
    if (!collection) throw new Error(`${domain.name} has no collection ${name}`)
    const found = await store.get(collection, ids)
    for (const id of ids) loaded.get(name)?.set(id, found.get(id))
  }

  for (let round = 0; ; round++) {
    const wanted = newlyNamed()
    if (wanted.size === 0) break
    if (round === MAX_ROUNDS)
      throw new Error(`${member} names new documents at each of ${round + 1} calls. It must end after ${MAX_ROUNDS}.`)
    await Promise.all([...wanted].map(([name, ids]) => load(name, [...ids])))
  }
  isLoading = false
  return readers
}
