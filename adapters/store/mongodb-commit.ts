import {
  type AnyBulkWriteOperation,
  type ClientSession,
  type Collection,
  MongoBulkWriteError,
  type MongoClient,
  MongoError,
} from 'mongodb'
import { systemClock } from '#core/clock.ts'
import { retry } from '#core/retry.ts'
import { Conflict, type Owned, Refused, type StoredCollection, type Write } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document } from '#domains/domain.ts'
import { type StoredDocument, toStored } from './mongodb-document.ts'
import { asUnavailable, isDoubtful, isDuplicateId, isUnwritable, writeErrorsOf } from './mongodb-errors.ts'

const COMMIT_AGAIN_AFTER_MS = 50
const WRITE_CONFLICT = 112

/** Does all writes in one transaction, which ends in every case. */
export async function commitTo(
  client: MongoClient,
  of: (collection: StoredCollection) => Collection<StoredDocument>,
  writes: Write[],
  withinMs: number,
): Promise<void> {
  const until = Date.now() + withinMs
  const session = client.startSession()
  let isAway = false
  try {
    session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true } })
    for (const write of writes) await writeOne(session, of(write.collection), write)
    await commit(session, until)
  } catch (error) {
    isAway = asUnavailable(error) instanceof Unavailable
    if (error instanceof MongoError && error.code === WRITE_CONFLICT) {
      throw new Conflict('store: another transaction is writing the same documents', { cause: error })
    }
    throw error
  } finally {
    // An open transaction is aborted, so that a retry does not conflict with it. In an outage nothing waits for that.
    const end = session.endSession()
    if (!isAway) await end
  }
}

/** Repeats the commit while its outcome is unknown. A repeat is harmless, and a later response has the outcome. */
async function commit(session: ClientSession, until: number): Promise<void> {
  await retry(() => session.commitTransaction(), {
    clock: systemClock,
    when: (error) => error instanceof MongoError && error.hasErrorLabel('UnknownTransactionCommitResult'),
    pause: () => COMMIT_AGAIN_AFTER_MS,
    deadline: until,
  })
}

async function writeOne(session: ClientSession, to: Collection<StoredDocument>, write: Write): Promise<void> {
  const { collection, insert = [], put = [], remove = [], swap = [], own = [], disown = [] } = write
  const now = new Date()
  const row = (document: Document) => toStored(document, collection, now)
  const next = swap.filter(({ generation }) => generation !== 1)
  const inserts = [...swap.filter(({ generation }) => generation === 1), ...insert]
  const operations: AnyBulkWriteOperation<StoredDocument>[] = [
    ...next.map((document) => ({
      replaceOne: { filter: { _id: document._id, generation: document.generation - 1 }, replacement: row(document) },
    })),
    ...put.map((document) => ({
      replaceOne: { filter: { _id: document._id }, replacement: row(document), upsert: true },
    })),
    // The filter does not match a document of another stream, and then the insert fails on its id.
    ...own.map((document) => ({ replaceOne: { filter: ownOf(document), replacement: row(document), upsert: true } })),
    ...inserts.map((document) => ({ insertOne: { document: row(document) } })),
    ...disown.map((document) => ({ deleteOne: { filter: ownOf(document) } })),
  ]
  try {
    if (remove.length > 0) await to.deleteMany({ _id: { $in: remove } }, { session })
    if (operations.length === 0) return
    const { matchedCount, upsertedCount, deletedCount } = await to.bulkWrite(operations, { session })
    const written = matchedCount + upsertedCount + deletedCount
    if (written === next.length + put.length + own.length + disown.length) return
  } catch (error) {
    throw reasonOf(error, collection, [...next, ...put, ...own, ...inserts])
  }
  throw new Conflict(`store: a generation or an owner in ${collection.name} has changed`)
}

/** Matches the document if it belongs to this stream, or to none. */
const ownOf = ({ _id, _stream }: Pick<Owned, '_id' | '_stream'>) => ({ _id, _stream: { $in: [_stream, null] } })

/** Why a bulk write failed; `documents` are in the order of its operations. An error about no document is returned unchanged. */
function reasonOf(error: unknown, { name }: StoredCollection, documents: Document[]): unknown {
  if (isUnwritable(error)) return new Refused(new Map([[`one of ${name}`, error.message]]), { cause: error })
  if (!(error instanceof MongoBulkWriteError) || isDoubtful(error)) return error
  const [failed] = writeErrorsOf(error)
  if (!failed) return error
  const id = documents[failed.index]?._id ?? ''
  if (isDuplicateId(failed)) return new Conflict(`store: ${id} of ${name} exists`, { cause: error })
  return new Refused(new Map([[id, failed.errmsg ?? 'refused']]), { cause: error })
}
