import { type AnyBulkWriteOperation, type ClientSession, type Collection, MongoError } from 'mongodb'
import type { Document } from '#domains/domain.ts'
import { isUnwritable } from './outage.ts'
import { Conflict, Refused, type StoredCollection, type Write } from './store.ts'
import { AT, type Stored } from './stored.ts'

type Find = (collection: StoredCollection) => Collection<Stored>

/** DuplicateKey; WriteConflict; NoSuchTransaction, which is what a server says of one that it has ended for another. */
const CONFLICTS = new Set([11000, 112, 251])
const MOST_COMMITS = 3

/** All writes in one transaction. What the driver can't tell the end of is committed again, which is harmless. */
export async function commitTo(session: ClientSession, of: Find, writes: Write[]): Promise<void> {
  session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true } })
  try {
    for (const write of writes) await writeOne(session, of(write.collection), write)
    await ended(session)
  } catch (error) {
    if (session.inTransaction()) await session.abortTransaction().catch(() => undefined)
    if (isConflict(error)) throw new Conflict((error as Error).message, { cause: error })
    if (isUnwritable(error)) throw new Refused(new Map([['commit', error.message]]), { cause: error })
    throw error
  }
}

const isConflict = (error: unknown): boolean =>
  error instanceof Conflict || (error instanceof MongoError && CONFLICTS.has(Number(error.code)))

async function writeOne(session: ClientSession, to: Collection<Stored>, write: Write): Promise<void> {
  const { collection, insert = [], put = [], remove = [], swap = [] } = write
  const now = new Date()
  const row = (document: Document): Stored => (collection.expireAfter ? { ...document, [AT]: now } : document)
  const first = swap.filter(({ generation }) => generation === 1)
  const next = swap.filter(({ generation }) => generation !== 1)

  const writes: AnyBulkWriteOperation<Stored>[] = [
    ...[...insert, ...first].map((document) => ({ insertOne: { document: row(document) } })),
    ...put.map((document) => ({
      replaceOne: { filter: { _id: document._id }, replacement: row(document), upsert: true },
    })),
    ...(remove.length > 0 ? [{ deleteMany: { filter: { _id: { $in: remove } } } }] : []),
  ]
  const swaps: AnyBulkWriteOperation<Stored>[] = next.map((document) => ({
    replaceOne: { filter: { _id: document._id, generation: document.generation - 1 }, replacement: row(document) },
  }))
  if (swaps.length > 0) {
    const { matchedCount } = await to.bulkWrite(swaps, { session })
    if (matchedCount < swaps.length)
      throw new Conflict(`store: a generation of ${collection.name} is not the one before`)
  }
  if (writes.length > 0) await to.bulkWrite(writes, { session })
}

async function ended(session: ClientSession): Promise<void> {
  for (let commits = 1; ; commits++) {
    try {
      return await session.commitTransaction()
    } catch (error) {
      const isUnknown = error instanceof MongoError && error.hasErrorLabel('UnknownTransactionCommitResult')
      if (!isUnknown || commits === MOST_COMMITS) throw error
    }
  }
}
