import type { Store } from '#core/store.ts'
import type { Collection, Document, Domain, Touch, View } from '#domains/domain.ts'

const MOST_ROUNDS = 4

/**
 * For each item a view of the documents that `touches` names for it. It is asked again, with what was found, until it names
 * nothing new; each time costs one read for each collection, however many items there are. What is not named is not there
 * while it is asked, and an error afterwards.
 */
export async function viewsOf<Item>(
  store: Pick<Store, 'get'>,
  domain: Domain,
  items: Item[],
  touches: (item: Item, documents: View) => Touch[],
): Promise<View[]> {
  const collections = domain.kind === 'append' ? [domain.documents.collection] : domain.collections
  const known = new Map(collections.map(({ name }) => [name, new Map<string, Document | undefined>()]))
  const named = items.map(() => new Set<string>())
  let isAsking = true
  const views = named.map(
    (names): View => ({
      get(collection, id) {
        const isNamed = names.has(`${collection} ${id}`)
        if (!isNamed && !isAsking) throw new Error(`${domain.name} did not name ${id} of ${collection}`)
        return isNamed ? known.get(collection)?.get(id) : undefined
      },
    }),
  )

  /** What is named for the first time, by collection. */
  function wanted(): Map<string, Set<string>> {
    const all = new Map<string, Set<string>>()
    for (const [at, item] of items.entries()) {
      for (const { collection, ids } of touches(item, views[at] as View)) {
        for (const id of ids) {
          named[at]?.add(`${collection} ${id}`)
          if (!known.get(collection)?.has(id)) all.set(collection, (all.get(collection) ?? new Set()).add(id))
        }
      }
    }
    return all
  }

  async function read(name: string, ids: string[]): Promise<void> {
    const collection = collections.find((one): one is Collection => one.name === name)
    if (!collection) throw new Error(`${domain.name} has no collection ${name}`)
    const found = await store.get(collection, ids)
    for (const id of ids) known.get(name)?.set(id, found.get(id))
  }

  for (let round = 0; ; round++) {
    const next = wanted()
    if (next.size === 0) break
    if (round === MOST_ROUNDS) throw new Error(`${domain.name} named new documents ${round + 1} times in one query`)
    await Promise.all([...next].map(([name, ids]) => read(name, [...ids])))
  }
  isAsking = false
  return views
}
