import type { Inserted } from '#core/store.ts'
import type { Document } from '#domains/domain.ts'
import type { QueryParts } from './handler.ts'

/** The store as queries see it: documents have the fields that the domain gave them, and nothing that Millrace adds. */
export const queryStore = (store: QueryParts['store']): QueryParts['store'] => ({
  ...store,
  async get(collection, ids) {
    const found = await store.get(collection, ids)
    return new Map([...found].map(([id, document]) => [id, own(document)]))
  },
  find: async (collection, query) => (await store.find(collection, query)).map(own),
  watch: (collection, options) => ownInserts(store.watch(collection, options)),
})

async function* ownInserts(inserts: AsyncIterable<Inserted>): AsyncGenerator<Inserted> {
  for await (const { document, ...place } of inserts) yield { document: own(document), ...place }
}

/** `_stream` tells persist the stream of a document, and `_hash` the body of the command that became it. */
function own(document: Document): Document {
  if (document._stream === undefined && document._hash === undefined) return document
  const { _stream, _hash, ...rest } = document
  return rest as Document
}
