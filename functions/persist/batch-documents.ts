import type { DocumentChange } from '#core/changes.ts'
import type { Owned, Write } from '#core/store.ts'
import type {
  Change,
  Collection,
  Command,
  DecideDomain,
  Document,
  DocumentReader,
  Event,
  Touch,
} from '#domains/domain.ts'

/** The documents that a batch touches, as the store has them, by the name of their collection. */
export type LoadedDocuments = ReadonlyMap<string, ReadonlyMap<string, Document>>

/** The documents of a batch as its commands change them, one after the other. */
export interface BatchDocuments {
  /** The documents that a command of this stream sees and changes: only those that its `touches` named. */
  begin(touches: Touch[], stream: string): CommandDocuments
  /** The writes of all changes that were kept. */
  writes(): Write[]
  /** The documents before the batch and after it, for each that was changed. */
  changes(): DocumentChange[]
}

export interface CommandDocuments extends DocumentReader {
  /** Throws for a document of another stream. The change has no effect on the batch until `keep`. */
  apply(change: Change): void
  keep(): void
}

type ReadDocuments = (collection: Collection, ids: string[]) => Promise<Map<string, Document>>
type Documents = Map<string, Document | undefined>

interface WorkingCollection {
  collection: Collection
  documents: Documents
  /** The streams that wrote or removed the documents last. One that was stored before streams were recorded has none. */
  owners: Map<string, string>
  /** The documents as the store has them. */
  stored: ReadonlyMap<string, Document | undefined>
  changed: Set<string>
}

/** Loads every document that the commands touch, in one read for each collection. */
export async function loadDocuments(
  domain: DecideDomain,
  commands: Command[],
  read: ReadDocuments,
): Promise<LoadedDocuments> {
  const wanted = new Map<string, Set<string>>()
  for (const { collection, ids } of commands.flatMap((command) => touchesOf(domain, command))) {
    const all = wanted.get(collection) ?? new Set()
    wanted.set(collection, all)
    for (const id of ids) all.add(id)
  }
  const loaded = domain.collections.map(async (collection) => {
    const ids = [...(wanted.get(collection.name) ?? [])]
    return [collection.name, ids.length > 0 ? await read(collection, ids) : new Map()] as const
  })
  return new Map(await Promise.all(loaded))
}

/** A working copy of what was loaded, for one batch. */
export function batchDocuments(domain: DecideDomain, loaded: LoadedDocuments): BatchDocuments {
  const collections = new Map(
    domain.collections.map((collection) => [collection.name, workingCopy(collection, loaded.get(collection.name))]),
  )
  return {
    begin: (touches, stream) => commandDocuments(domain, collections, touches, stream),
    writes: () => [...collections.values()].map(writeOf),
    changes: () => [...collections.values()].flatMap(changesOf),
  }
}

function workingCopy(collection: Collection, found: ReadonlyMap<string, Document> = new Map()): WorkingCollection {
  const documents: Documents = new Map()
  const owners = new Map<string, string>()
  for (const [id, { _stream, ...document }] of found) {
    documents.set(id, freeze(document as Document))
    if (_stream !== undefined) owners.set(id, String(_stream))
  }
  return { collection, documents, owners, stored: new Map(documents), changed: new Set() }
}

function commandDocuments(
  domain: DecideDomain,
  collections: ReadonlyMap<string, WorkingCollection>,
  touches: Touch[],
  stream: string,
): CommandDocuments {
  const own = new Map<string, Documents>()
  const allowed = new Set(touches.flatMap(({ collection, ids }) => ids.map((id) => `${collection} ${id}`)))
  const touched = (name: string, id: string): WorkingCollection => {
    const collection = collections.get(name)
    if (!collection) throw new Error(`${domain.name} has no collection ${name}`)
    if (!allowed.has(`${name} ${id}`))
      throw new Error(`touches names no "${id}" of collection ${name}. Add it to what touches returns.`)
    return collection
  }
  return {
    get(name, id) {
      const { documents } = touched(name, id)
      const changed = own.get(name)
      return changed?.has(id) ? changed.get(id) : documents.get(id)
    },
    apply(change) {
      const { collection: name } = change
      const [id, document] = 'remove' in change ? [change.remove, undefined] : [change.document._id, change.document]
      const { documents, owners } = touched(name, id)
      const owner = documents.get(id) && owners.get(id)
      if (owner !== undefined && owner !== stream)
        throw new Error(`${id} of ${name} belongs to stream ${owner}: stream ${stream} can not change it`)
      const changed: Documents = own.get(name) ?? new Map()
      own.set(name, changed.set(id, freeze(document)))
    },
    keep() {
      for (const [name, changed] of own) {
        const collection = collections.get(name)
        for (const [id, document] of changed) {
          collection?.documents.set(id, document)
          collection?.changed.add(id)
          collection?.owners.set(id, stream)
        }
      }
    },
  }
}

/** A document that the store did not have is inserted, which costs less than to replace it or insert it where missing. */
function writeOf({ collection, documents, owners, stored, changed }: WorkingCollection): Write {
  const insert: Owned[] = []
  const own: Owned[] = []
  const disown: Pick<Owned, '_id' | '_stream'>[] = []
  for (const id of changed) {
    const document = documents.get(id)
    const _stream = owners.get(id) as string
    if (document) (stored.has(id) ? own : insert).push({ ...document, _stream })
    else if (stored.has(id)) disown.push({ _id: id, _stream })
  }
  return { collection, insert, own, disown }
}

const changesOf = ({ collection, documents, stored, changed }: WorkingCollection): DocumentChange[] =>
  [...changed].map((id) => ({ collection: collection.name, before: stored.get(id), after: documents.get(id) }))

/** Makes a rule that changes what it was given fail there, instead of changing it for the next command. */
export function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}

/** The documents that a command touches. None when `touches` throws, which is its fault when it is decided on. */
export function touchesOf(domain: DecideDomain, command: Command): Touch[] {
  try {
    return domain.touches(command)
  } catch {
    return []
  }
}

/** Projects events one after the other: each sees the changes of those before it. */
export function project(domain: DecideDomain, events: Event[], documents: CommandDocuments): void {
  for (const event of events) for (const change of domain.project(event, documents)) documents.apply(change)
}
