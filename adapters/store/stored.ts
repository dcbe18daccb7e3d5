import type { Document as Bson } from 'mongodb'
import type { Document } from '#domains/domain.ts'
import { countsFrom, type StoredCollection } from './store.ts'

/** A document as MongoDB has it. */
export type Stored = Bson & { _id: string; _at?: Date }

/** From when on it counts until a document expires; not part of the document. */
export const AT = '_at'

export const withoutAt = { projection: { [AT]: 0 } }

export const rowOf = (document: Document, collection: StoredCollection, now: Date): Stored =>
  collection.expireAfter === undefined
    ? document
    : { ...document, [AT]: new Date(countsFrom(document, collection, now.getTime())) }
