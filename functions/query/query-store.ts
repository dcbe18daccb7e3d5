import type { Document } from '#domains/domain.ts'
import type { QueryParts } from './handler.ts'

/** The store as queries see it: documents are without `_stream`, which tells persist the stream of a document. */
export const queryStore = (store: QueryParts['store']): QueryParts['store'] => ({
  ...store,
  async get(collection, ids) {
    const found = await store.get(collection, ids)
    return new Map([...found].map(([id, document]) => [id, withoutStream(document)]))
  },
  find: async (collection, query) => (await store.find(collection, query)).map(withoutStream),
})

function withoutStream(document: Document): Document {
  if (document._stream === undefined) return document
  const { _stream, ...rest } = document
  return rest as Document
}
