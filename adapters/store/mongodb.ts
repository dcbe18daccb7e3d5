import {
  BSON,
  type Document as Bson,
  type ChangeStreamInsertDocument,
  type Collection,
  type Db,
  MongoBulkWriteError,
  MongoClient,
  MongoError,
  MongoServerError,
  type ResumeToken,
  type WriteError,
} from 'mongodb'
import type { Document, Fields } from '#domains/domain.ts'
import { Unavailable } from '../unavailable.ts'
import {
  type Find,
  fieldsOf,
  type Inserted,
  Refused,
  ResumeLost,
  type Store,
  type StoredCollection,
  scalar,
} from './store.ts'

export interface MongodbOptions {
  uri: string
  database: string
  poolSize?: number
  /** How long a call looks for a primary before it says that there is none. */
  selectWithinMs?: number
  /** How long a call may take in all. */
  answerWithinMs?: number
}

type Stored = Bson & { _id: string; _at?: Date }

const DUPLICATE_KEY = 11000
/** When a document was inserted, for expiry; not part of the document. */
const AT = '_at'
const withoutAt = { projection: { [AT]: 0 } }

/** The store on MongoDB. It connects when it is first asked, so a process may start before MongoDB does. */
export function mongodbStore(options: MongodbOptions): Store {
  const { uri, database, poolSize = 20, selectWithinMs = 2000, answerWithinMs = 10_000 } = options
  const client = new MongoClient(uri, {
    maxPoolSize: poolSize,
    serverSelectionTimeoutMS: selectWithinMs,
    connectTimeoutMS: selectWithinMs,
    socketTimeoutMS: answerWithinMs,
    heartbeatFrequencyMS: 1000,
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: answerWithinMs },
    readConcern: { level: 'majority' },
    readPreference: 'primary',
    ignoreUndefined: true,
  })
  const db: Db = client.db(database)
  const of = ({ name }: StoredCollection): Collection<Stored> => db.collection<Stored>(name)

  return {
    prepare: (wanted) =>
      answered(async () => {
        for (const collection of wanted) {
          const { name, indexes, expireAfter } = collection
          await db.createCollection(name).catch(ifAlreadyThere)
          const keys = Object.entries(indexes)
            .filter(([, { fields }]) => fields.length > 0)
            .map(([index, { fields }]) => ({ name: index, key: ascending(fields) }))
          if (keys.length > 0) await of(collection).createIndexes(keys)
          if (expireAfter !== undefined) {
            await of(collection).createIndex({ [AT]: 1 }, { name: 'expiry', expireAfterSeconds: expireAfter })
          }
        }
      }),

    insert: (collection, documents) => answered(() => insert(collection, documents)),

    get: (collection, ids) =>
      answered(async () => {
        const found = (await of(collection)
          .find({ _id: { $in: ids } }, withoutAt)
          .toArray()) as Document[]
        return new Map(found.map((document) => [document._id, document]))
      }),

    find: (collection, query) => answered(() => find(collection, query)),

    /**
     * Two who count one id at once may both read the higher number: a count is never lower than the tries there were.
     */
    increment: (collection, ids) =>
      answered(async () => {
        if (ids.length === 0) return new Map()
        const update = { $inc: { count: 1 }, $set: { [AT]: new Date() } }
        const upserts = ids.map((_id) => ({ updateOne: { filter: { _id }, update, upsert: true } }))
        await of(collection).bulkWrite(upserts, { ordered: false })
        const found = await of(collection)
          .find({ _id: { $in: ids } })
          .toArray()
        return new Map(found.map(({ _id, count }) => [_id, Number(count)]))
      }),

    remove: (collection, ids) =>
      answered(async () => {
        await of(collection).deleteMany({ _id: { $in: ids } })
      }),

    watch: (collection, { resume, signal }) => watching(of(collection), resume, signal),

    ping: () =>
      answered(async () => {
        await db.command({ ping: 1 })
      }),

    close: () => client.close(),
  }

  /**
   * Error 11000 says only that the primary has the id. It counts as "was there" once a majority read sees it too: what a
   * failover could roll back must not be called done.
   */
  async function insert(collection: StoredCollection, documents: Document[]): Promise<Set<string>> {
    if (documents.length === 0) return new Set()
    const now = new Date()
    const rows = (
      collection.expireAfter ? documents.map((document) => ({ ...document, [AT]: now })) : documents
    ) as Stored[]
    try {
      await of(collection).insertMany(rows, { ordered: false, forceServerObjectId: true })
      return new Set()
    } catch (error) {
      if (isUnwritable(error)) return await insertEach(collection, documents, error)
      if (!(error instanceof MongoBulkWriteError) || isDoubtful(error) || isUnanswered(error)) throw error
      const failed = writeErrorsOf(error).map(({ index, code, errmsg }) => ({
        id: rows[index]?._id ?? '',
        code,
        errmsg,
      }))
      const present = failed.filter(({ code }) => code === DUPLICATE_KEY).map(({ id }) => id)
      const refused = failed.filter(({ code }) => code !== DUPLICATE_KEY)
      await seenByMajority(collection, present)
      if (refused.length > 0)
        throw new Refused(new Map(refused.map(({ id, errmsg }) => [id, errmsg ?? 'refused'])), { cause: error })
      return new Set(present)
    }
  }

  /** The driver refuses a whole batch for one document that it can't write: so each goes alone. */
  async function insertEach(collection: StoredCollection, documents: Document[], cause: unknown): Promise<Set<string>> {
    if (documents.length === 1)
      throw new Refused(new Map([[documents[0]?._id ?? '', (cause as Error).message]]), { cause })
    const present = new Set<string>()
    const refused = new Map<string, string>()
    for (const document of documents) {
      try {
        for (const id of await insert(collection, [document])) present.add(id)
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        for (const [id, reason] of error.reasons) refused.set(id, reason)
      }
    }
    if (refused.size > 0) throw new Refused(refused, { cause })
    return present
  }

  async function seenByMajority(collection: StoredCollection, ids: string[]): Promise<void> {
    const wanted = new Set(ids)
    if (wanted.size === 0) return
    const seen = await of(collection).countDocuments({ _id: { $in: [...wanted] } })
    if (seen < wanted.size) throw new Unavailable('store', 'a duplicate is not yet confirmed by a majority')
  }

  async function find(collection: StoredCollection, query: Find): Promise<Document[]> {
    const { index, where = {}, after, newestFirst, limit } = query
    const fields = fieldsOf(collection, index)
    const direction = newestFirst ? -1 : 1
    const sort = Object.fromEntries([...fields, '_id'].map((field) => [field, direction] as const))
    const equal = Object.fromEntries(Object.entries(where).map(([field, value]) => [field, scalar(value)]))
    const filter = after ? { $and: [equal, behind(fields, after, newestFirst)] } : equal
    return (await of(collection)
      .find(filter as Bson, withoutAt)
      .sort(sort)
      .limit(limit)
      .toArray()) as Document[]
  }
}

const ascending = (fields: string[]) => Object.fromEntries([...fields, '_id'].map((field) => [field, 1 as const]))

/** Everything behind `last` in the order of the fields and `_id`. MongoDB finds nothing greater or less than null. */
function behind(fields: string[], last: Fields, newestFirst = false): Bson {
  const all = [...fields, '_id'].map((field) => [field, scalar(last[field] ?? null)] as const)
  const ranges = all.flatMap(([field, value], at): Bson[] => {
    const equal = Object.fromEntries(all.slice(0, at))
    if (value === null) return newestFirst ? [] : [{ ...equal, [field]: { $ne: null } }]
    if (!newestFirst) return [{ ...equal, [field]: { $gt: value } }]
    const lower = { ...equal, [field]: { $lt: value } }
    return field === '_id' ? [lower] : [lower, { ...equal, [field]: null }]
  })
  return { $or: ranges }
}

async function* watching(
  collection: Collection<Stored>,
  resume: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Inserted> {
  const token = resume === undefined ? {} : { resumeAfter: parseToken(resume) }
  const stream = collection.watch<Stored, ChangeStreamInsertDocument<Stored>>(
    [{ $match: { operationType: 'insert' } }],
    token,
  )
  let isBegun = false
  const stop = () => void stream.close()
  signal.addEventListener('abort', stop)
  try {
    while (!signal.aborted) {
      const change = await stream.next()
      isBegun = true
      const { [AT]: _, ...document } = change.fullDocument
      yield { document: document as Document, resume: JSON.stringify(change._id) }
    }
  } catch (error) {
    if (signal.aborted) return
    const known = asUnavailable(error)
    const isRefused = resume !== undefined && !isBegun && !(known instanceof Unavailable)
    if (error instanceof MongoServerError && (isRefused || LOST_HISTORY.has(Number(error.code)))) {
      throw new ResumeLost('store: what follows is no longer known', { cause: error })
    }
    throw known
  } finally {
    signal.removeEventListener('abort', stop)
    await stream.close().catch(() => undefined)
  }
}

/** ChangeStreamFatalError, ChangeStreamHistoryLost, InvalidResumeToken. */
const LOST_HISTORY = new Set([280, 286, 260])

function parseToken(resume: string): ResumeToken {
  try {
    return JSON.parse(resume)
  } catch (cause) {
    throw new ResumeLost(`store: ${resume} is no place in a collection`, { cause })
  }
}

async function answered<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call()
  } catch (error) {
    throw asUnavailable(error)
  }
}

const OUTAGES = new Set([
  'MongoServerSelectionError',
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoWaitQueueTimeoutError',
  'MongoTopologyClosedError',
  'MongoNotConnectedError',
  'MongoClientClosedError',
  'MongoOperationTimeoutError',
  'MongoWriteConcernError',
])

/** Stepping down, shutting down, no primary, interrupted, time limits: codes of servers that are there but can't serve. */
const OUTAGE_CODES = new Set([6, 7, 50, 64, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])

/** An outage as `Unavailable`, anything else as it is. */
function asUnavailable(error: unknown): unknown {
  if (!(error instanceof MongoError)) return error
  const isOutage =
    OUTAGES.has(error.name) ||
    error.hasErrorLabel('RetryableWriteError') ||
    error.hasErrorLabel('TransientTransactionError') ||
    OUTAGE_CODES.has(Number(error.code)) ||
    (error instanceof MongoBulkWriteError &&
      (isDoubtful(error) || (isUnanswered(error) && typeof error.code !== 'number')))
  return isOutage ? new Unavailable('store', error.message, { cause: error }) : error
}

/** What was written may not last: nothing about this batch counts as done. */
const isDoubtful = (error: MongoBulkWriteError): boolean =>
  error.result.getWriteConcernError() !== undefined || writeErrorsOf(error).some(({ code }) => OUTAGE_CODES.has(code))

/** The driver dresses whatever ended a bulk write as a whole like this, also that there was no connection: no document was answered. */
const isUnanswered = (error: MongoBulkWriteError): boolean =>
  writeErrorsOf(error).length === 0 && error.result.getWriteConcernError() === undefined

const writeErrorsOf = ({ writeErrors }: MongoBulkWriteError): WriteError[] => [writeErrors].flat() as WriteError[]

/** Too large, or with a name that BSON does not have: a zero byte in it, or `_bsontype`. */
const isUnwritable = (error: unknown): boolean =>
  BSON.BSONError.isBSONError(error) ||
  (error instanceof MongoError &&
    (Number(error.code) === 10334 || /larger than|too large|out of range|maxBsonObjectSize/i.test(error.message)) &&
    !(error instanceof MongoBulkWriteError && !isUnanswered(error)))

/** NamespaceExists. */
function ifAlreadyThere(error: unknown): void {
  if (!(error instanceof MongoServerError) || error.code !== 48) throw error
}
