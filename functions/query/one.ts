import { tagged } from '#core/etag.ts'
import { Problem } from '#core/problem.ts'
import type { Store, StoredCollection } from '#core/store.ts'
import type { Domain } from '#domains/domain.ts'
import type { OneQuery } from '#domains/query.ts'
import { type Answering, collectionOf, type Parts } from './answer.ts'

export const one = ({ store }: Parts, domain: Domain, query: OneQuery): Answering =>
  oneOf(store, collectionOf(domain, query), query)

/** One document by its id. */
export const oneOf =
  (store: Pick<Store, 'get'>, collection: StoredCollection, { shape }: Pick<OneQuery, 'shape'>): Answering =>
  async ({ request, params }) => {
    const id = String(params.id)
    const document = (await store.get(collection, [id])).get(id)
    if (!document) throw new Problem(404, 'Not found', `There is nothing with id ${id}.`)
    return tagged(request, shape(document))
  }
