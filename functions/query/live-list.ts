import type { DocumentChange } from '#core/changes.ts'
import type { Document, Fields } from '#domains/domain.ts'
import type { Asked, LiveQuery } from '#domains/query.ts'

/** What a client of a live list gets of a change. */
export interface ListChange {
  kind: 'inserted' | 'changed' | 'removed'
  /** The item of the document after the change, or of the one before a removal. */
  item: Fields
}

/**
 * What a change of a document means for the list of one caller. `undefined` if the caller sees no difference, so that nobody learns of
 * changes in members that `shape` leaves out.
 */
export function listChange(
  { keep, shape }: Pick<LiveQuery, 'keep' | 'shape'>,
  { before, after }: Pick<DocumentChange, 'before' | 'after'>,
  asked: Asked,
): ListChange | undefined {
  const itemOf = (document: Document | undefined) =>
    document && keep(document, asked.params, asked.caller) ? shape(document, asked) : undefined
  const [old, now] = [itemOf(before), itemOf(after)]
  if (!old) return now && { kind: 'inserted', item: now }
  if (!now || !after) return { kind: 'removed', item: old }
  if (JSON.stringify(old) === JSON.stringify(now)) return undefined
  const item = shape(after, { ...asked, before })
  return item && { kind: 'changed', item }
}
