import { tagged } from '#core/etag.ts'
import { Problem } from '#core/problem.ts'
import type { Store, StoredCollection } from '#core/store.ts'
import type { Domain } from '#domains/domain.ts'
import type { OneQuery } from '#domains/query.ts'
import { askedOf, collectionOf, type QueryHandler, type QueryParts } from './handler.ts'

/** Answers one document of the domain by its id. */
export const oneHandler = ({ store }: QueryParts, domain: Domain, query: OneQuery): QueryHandler =>
  documentHandler(store, collectionOf(domain, query), query)

/** Answers one document of a collection by its id. */
export const documentHandler =
  (store: Pick<Store, 'get'>, collection: StoredCollection, { shape }: Pick<OneQuery, 'shape'>): QueryHandler =>
  async (queryRequest) => {
    const id = String(queryRequest.params.id)
    const document = (await store.get(collection, [id])).get(id)
    const item = document && shape(document, askedOf(queryRequest))
    if (!item) throw new Problem(404, 'Not found', `There is nothing with id ${id}.`)
    return tagged(queryRequest.request, item)
  }
