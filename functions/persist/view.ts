import type { Owned, Write } from '#core/store.ts'
import type { Change, Collection, Command, DecideDomain, Document, Event, Touch, View } from '#domains/domain.ts'

/** The documents of a batch, as they are after everything that was kept. */
export interface Table {
  /**
   * What a command of this stream sees and changes: only what its `touches` named. Nothing of it counts until `keep`. A change
   * of another stream's document throws.
   */
  begin(touches: Touch[], stream: string): Changes
  /** What has changed since it was loaded. */
  writes(): Write[]
}

export interface Changes extends View {
  apply(change: Change): void
  keep(): void
}

type Read = (collection: Collection, ids: string[]) => Promise<Map<string, Document>>
type Documents = Map<string, Document | undefined>

interface Loaded {
  collection: Collection
  documents: Documents
  /** The streams that wrote or removed the documents last. One that was stored before streams were recorded has none. */
  owners: Map<string, string>
  /** The ids of those that the store has. */
  stored: ReadonlySet<string>
  changed: Set<string>
}

/** Loads every document that the commands touch, in one read for each collection. */
export async function tableOf(domain: DecideDomain, commands: Command[], read: Read): Promise<Table> {
  const wanted = new Map<string, Set<string>>()
  for (const { collection, ids } of commands.flatMap((command) => touchesOf(domain, command))) {
    const all = wanted.get(collection) ?? new Set()
    wanted.set(collection, all)
    for (const id of ids) all.add(id)
  }
  const tables = new Map<string, Loaded>()
  await Promise.all(
    domain.collections.map(async (collection) => {
      const ids = [...(wanted.get(collection.name) ?? [])]
      const found: Map<string, Document> = ids.length > 0 ? await read(collection, ids) : new Map()
      const documents: Documents = new Map()
      const owners = new Map<string, string>()
      for (const [id, { _stream, ...document }] of found) {
        documents.set(id, freeze(document as Document))
        if (_stream !== undefined) owners.set(id, String(_stream))
      }
      tables.set(collection.name, { collection, documents, owners, stored: new Set(found.keys()), changed: new Set() })
    }),
  )

  return {
    begin(touches, stream) {
      const own = new Map<string, Documents>()
      const allowed = new Set(touches.flatMap(({ collection, ids }) => ids.map((id) => `${collection} ${id}`)))
      const check = (collection: string, id: string) => {
        if (!tables.has(collection)) throw new Error(`${domain.name} has no collection ${collection}`)
        if (!allowed.has(`${collection} ${id}`)) throw new Error(`touches does not name ${id} of ${collection}`)
      }
      return {
        get(collection, id) {
          check(collection, id)
          const changed = own.get(collection)
          return changed?.has(id) ? changed.get(id) : tables.get(collection)?.documents.get(id)
        },
        apply(change) {
          const { collection } = change
          const [id, document] =
            'remove' in change ? [change.remove, undefined] : [change.document._id, change.document]
          check(collection, id)
          const table = tables.get(collection)
          const owner = table?.documents.get(id) && table.owners.get(id)
          if (owner !== undefined && owner !== stream)
            throw new Error(`${id} of ${collection} belongs to stream ${owner}: stream ${stream} can not change it`)
          const documents = own.get(collection) ?? new Map()
          own.set(collection, documents.set(id, freeze(document)))
        },
        keep() {
          for (const [collection, documents] of own) {
            const table = tables.get(collection)
            for (const [id, document] of documents) {
              table?.documents.set(id, document)
              table?.changed.add(id)
              table?.owners.set(id, stream)
            }
          }
        },
      }
    },

    writes: () =>
      [...tables.values()].map(({ collection, documents, owners, stored, changed }) => {
        const own: Owned[] = []
        const disown: Pick<Owned, '_id' | '_stream'>[] = []
        for (const id of changed) {
          const document = documents.get(id)
          const _stream = owners.get(id) as string
          if (document) own.push({ ...document, _stream })
          else if (stored.has(id)) disown.push({ _id: id, _stream })
        }
        return { collection, own, disown }
      }),
  }
}

/** Rules that change what they are shown would change it for the next command: it is an error where it happens. */
export function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}

/** One whose `touches` throws is found out when it is decided on. */
export function touchesOf(domain: DecideDomain, command: Command): Touch[] {
  try {
    return domain.touches(command)
  } catch {
    return []
  }
}

/** Projects events one after the other: each sees what the ones before it have changed. */
export function project(domain: DecideDomain, events: Event[], changes: Changes): void {
  for (const event of events) for (const change of domain.project(event, changes)) changes.apply(change)
}
