import { letters } from '#core/collections.ts'
import type { Document, Fields } from '#domains/domain.ts'
import type { QueryHandler, QueryParts } from './handler.ts'
import { documentHandler } from './one-handler.ts'
import { listHandler } from './page-handler.ts'

const shape = ({ _id, hash: _, ...letter }: Document): Fields => ({ id: _id, ...letter })

/** Answers the letters in the order of their arrival. */
export const letterListHandler = (parts: QueryParts): QueryHandler =>
  listHandler(parts, {
    collectionFor: () => letters,
    query: { index: 'arrival' },
    shape: async (documents) => documents.map(shape),
  })

/** Answers one letter. */
export const letterHandler = ({ store }: QueryParts): QueryHandler => documentHandler(store, letters, { shape })
