import type { Document } from '#domains/domain.ts'

/** A change of a document: without `before` it is new, without `after` it is removed. */
export interface DocumentChange {
  collection: string
  before: Document | undefined
  after: Document | undefined
}

/** The most characters of JSON that the documents before and after a change have together. As much waits for one live client at most. */
export const MAX_CHANGE_CHARACTERS = 262_144

/**
 * A change as the store keeps it. The documents are JSON text, so that no limit of nesting or naming applies to them a second time.
 * Documents that are too large are left out. `undefined` if the document is the same before and after.
 */
export function changeRecord(_id: string, { collection, before, after }: DocumentChange): Document | undefined {
  const [old, now] = [before, after].map((document) => document && JSON.stringify(document))
  if (old === now) return undefined
  const record = { _id, collection }
  if ((old?.length ?? 0) + (now?.length ?? 0) > MAX_CHANGE_CHARACTERS) return record
  return { ...record, ...(old === undefined ? {} : { before: old }), ...(now === undefined ? {} : { after: now }) }
}

/** The change in a record. It has neither document if they were too large. */
export function changeIn({ collection, before, after }: Document): DocumentChange {
  const [old, now] = [before, after].map((text) => (text === undefined ? undefined : JSON.parse(String(text))))
  return { collection: String(collection), before: old, after: now }
}
