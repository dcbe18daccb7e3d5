import type { Document as Bson } from 'mongodb'
import { countsFrom } from '#core/indexes.ts'
import type { StoredCollection } from '#core/store.ts'
import type { Document } from '#domains/domain.ts'

/** A document in MongoDB. */
export type StoredDocument = Bson & { _id: string; _at?: Date }

/** The field with the time that the expiry counts from. It is not part of the document. */
export const EXPIRY_START = '_at'

export const withoutExpiryStart = { projection: { [EXPIRY_START]: 0 } }

/**
 * Excludes documents of another program in the same collection, whose ids are not strings. The
 * negation of a type uses no index, so it does not change MongoDB's choice of an index.
 */
export const WITH_STRING_ID: Bson = {
  _id: { $not: { $type: ['objectId', 'number', 'object', 'binData', 'date', 'bool', 'null'] } },
}

export const hasStringId = ({ _id }: { _id: unknown }): boolean => typeof _id === 'string'

export const toStored = (document: Document, collection: StoredCollection, now: Date): StoredDocument =>
  collection.expireAfter === undefined
    ? document
    : { ...document, [EXPIRY_START]: new Date(countsFrom(document, collection, now.getTime())) }
