import { changes, withoutGeneration } from '#core/collections.ts'
import { viewsOf } from '#core/registry.ts'
import type { Inserted, StoredCollection } from '#core/store.ts'
import type { Document, Domain } from '#domains/domain.ts'
import { watchChanges } from './change-feed.ts'
import type { QueryParts } from './handler.ts'

/** The store as queries see it: documents have the fields that the domain gave them, and nothing that Millrace adds. */
export function queryStore(store: QueryParts['store'], domains: Domain[]): QueryParts['store'] {
  const views = new Set(domains.flatMap(viewsOf).map(({ collection }) => collection.name))
  const ownIn = ({ name }: StoredCollection) => (views.has(name) ? withoutGeneration : own)
  return {
    ...store,
    async get(collection, ids) {
      const found = await store.get(collection, ids)
      const own = ownIn(collection)
      return new Map([...found].map(([id, document]) => [id, own(document)]))
    },
    find: async (collection, query) => (await store.find(collection, query)).map(ownIn(collection)),
    watch: (collection, options) =>
      collection.name === changes.name
        ? watchChanges(store, options)
        : ownInserts(store.watch(collection, options), ownIn(collection)),
  }
}

type Own = (document: Document) => Document

async function* ownInserts(inserts: AsyncIterable<Inserted>, own: Own): AsyncGenerator<Inserted> {
  for await (const { document, ...place } of inserts) yield { document: own(document), ...place }
}

/** `_stream` tells persist the stream of a document, and `_hash` the body of the command that became it. */
function own(document: Document): Document {
  if (document._stream === undefined && document._hash === undefined) return document
  const { _stream, _hash, ...rest } = document
  return rest as Document
}
