import { type Collection, MongoBulkWriteError } from 'mongodb'
import { Refused, type StoredCollection } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document } from '#domains/domain.ts'
import { type StoredDocument, toStored } from './mongodb-document.ts'
import { isDoubtful, isDuplicateId, isUnanswered, isUnwritable, writeErrorsOf } from './mongodb-errors.ts'

/**
 * Error 11000 says only that the primary has the id. The id counts as present once a majority read sees it too, because a
 * write that a failover could roll back must not count as done.
 */
export async function insertInto(
  to: Collection<StoredDocument>,
  collection: StoredCollection,
  documents: Document[],
): Promise<Set<string>> {
  if (documents.length === 0) return new Set()
  const now = new Date()
  const rows = documents.map((document) => toStored(document, collection, now))
  try {
    await to.insertMany(rows, { ordered: false, forceServerObjectId: true })
    return new Set()
  } catch (error) {
    if (isUnwritable(error)) return await insertHalves(to, collection, documents, error)
    if (!(error instanceof MongoBulkWriteError) || isDoubtful(error) || isUnanswered(error)) throw error
    const present: string[] = []
    const refused = new Map<string, string>()
    for (const failed of writeErrorsOf(error)) {
      const id = documents[failed.index]?._id ?? ''
      if (isDuplicateId(failed)) present.push(id)
      else refused.set(id, failed.errmsg ?? 'refused')
    }
    await seenByMajority(to, present)
    if (refused.size > 0) throw new Refused(refused, { cause: error })
    return new Set(present)
  }
}

/** Inserts the halves of a batch separately, down to the one document that can't be written and fails the whole batch. */
async function insertHalves(
  to: Collection<StoredDocument>,
  collection: StoredCollection,
  documents: Document[],
  cause: Error,
): Promise<Set<string>> {
  const [first, ...others] = documents
  if (first && others.length === 0) throw new Refused(new Map([[first._id, cause.message]]), { cause })
  const middle = Math.ceil(documents.length / 2)
  const present = new Set<string>()
  const refused = new Map<string, string>()
  for (const half of [documents.slice(0, middle), documents.slice(middle)]) {
    try {
      for (const id of await insertInto(to, collection, half)) present.add(id)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      for (const [id, reason] of error.reasons) refused.set(id, reason)
    }
  }
  if (refused.size > 0) throw new Refused(refused, { cause })
  return present
}

async function seenByMajority(to: Collection<StoredDocument>, ids: string[]): Promise<void> {
  const wanted = new Set(ids)
  if (wanted.size === 0) return
  const seen = await to.countDocuments({ _id: { $in: [...wanted] } })
  if (seen < wanted.size) throw new Unavailable('store', 'a duplicate is not yet confirmed by a majority')
}
