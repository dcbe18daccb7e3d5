import type { Document as Bson } from 'mongodb'

/** A document as MongoDB has it. */
export type Stored = Bson & { _id: string; _at?: Date }

/** When a document was inserted, for expiry; not part of the document. */
export const AT = '_at'
