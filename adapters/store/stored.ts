import type { Document as Bson } from 'mongodb'
import type { Document } from '#domains/domain.ts'
import type { StoredCollection } from './store.ts'

/** A document as MongoDB has it. */
export type Stored = Bson & { _id: string; _at?: Date }

/** When a document was written, for expiry; not part of the document. */
export const AT = '_at'

export const withoutAt = { projection: { [AT]: 0 } }

export const rowOf = (document: Document, { expireAfter }: StoredCollection, now: Date): Stored =>
  expireAfter === undefined ? document : { ...document, [AT]: now }
