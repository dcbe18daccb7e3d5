import type { Document as Bson } from 'mongodb'
import { countsFrom, type StoredCollection } from '#core/store.ts'
import type { Document } from '#domains/domain.ts'

/** A document as MongoDB has it. */
export type Stored = Bson & { _id: string; _at?: Date }

/** From when on it counts until a document expires; not part of the document. */
export const AT = '_at'

export const withoutAt = { projection: { [AT]: 0 } }

/**
 * Documents of another program may be in the same collection: their ids are no strings, and no query of ours finds them. The
 * negation of a type uses no index, so it does not change which one MongoDB chooses.
 */
export const OURS: Bson = {
  _id: { $not: { $type: ['objectId', 'number', 'object', 'binData', 'date', 'bool', 'null'] } },
}

export const isOurs = ({ _id }: { _id: unknown }): boolean => typeof _id === 'string'

export const rowOf = (document: Document, collection: StoredCollection, now: Date): Stored =>
  collection.expireAfter === undefined
    ? document
    : { ...document, [AT]: new Date(countsFrom(document, collection, now.getTime())) }
