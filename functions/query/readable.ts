import type { Document } from '#domains/domain.ts'
import type { Parts } from './answer.ts'

/** The store as queries see it. `_stream` tells persist which stream a document belongs to, and is part of no answer. */
export const readable = (store: Parts['store']): Parts['store'] => ({
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
