import {
  type Document as Bson,
  type ChangeStreamInsertDocument,
  type Collection,
  type Db,
  MongoBulkWriteError,
  MongoClient,
  MongoServerError,
  type ResumeToken,
} from 'mongodb'
import type { Document, Fields } from '#domains/domain.ts'
import { Unavailable } from '../unavailable.ts'
import { commitTo } from './mongodb-commit.ts'
import { asUnavailable, isDoubtful, isDuplicateId, isUnanswered, isUnwritable, writeErrorsOf } from './outage.ts'
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
import { AT, type Stored } from './stored.ts'

export interface MongodbOptions {
  uri: string
  database: string
  poolSize?: number
  /** How long a call looks for a primary before it says that there is none. */
  selectWithinMs?: number
  /** How long a call may take in all. */
  answerWithinMs?: number
}

const withoutAt = { projection: { [AT]: 0 } }

/** The store on MongoDB. It connects when it is first asked, so a process may start before MongoDB does. */
export function mongodbStore(options: MongodbOptions): Store {
  const { uri, database, poolSize = 20, selectWithinMs = 2000, answerWithinMs = 10_000 } = options
  const client = new MongoClient(uri, {
    maxPoolSize: poolSize,
    serverSelectionTimeoutMS: selectWithinMs,
    connectTimeoutMS: selectWithinMs,
    socketTimeoutMS: answerWithinMs,
    waitQueueTimeoutMS: answerWithinMs,
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

    commit: (writes) => answered(() => client.withSession((session) => commitTo(session, of, writes))),

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
   * The driver bounds each try on a connection, but a call may wait for one and is tried again; so the call as a whole is
   * bounded here. What goes on behind it ends in its own time; every write may be repeated.
   */
  async function answered<Result>(call: () => Promise<Result>): Promise<Result> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => late.reject(new Unavailable('store', `no answer within ${answerWithinMs} ms`)),
      answerWithinMs,
    )
    try {
      return await Promise.race([call(), late.promise])
    } catch (error) {
      throw asUnavailable(error)
    } finally {
      clearTimeout(timer)
    }
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
      if (isUnwritable(error)) return await insertApart(collection, documents, error)
      if (!(error instanceof MongoBulkWriteError) || isDoubtful(error) || isUnanswered(error)) throw error
      const present: string[] = []
      const refused = new Map<string, string>()
      for (const failed of writeErrorsOf(error)) {
        const id = documents[failed.index]?._id ?? ''
        if (isDuplicateId(failed)) present.push(id)
        else refused.set(id, failed.errmsg ?? 'refused')
      }
      await seenByMajority(collection, present)
      if (refused.size > 0) throw new Refused(refused, { cause: error })
      return new Set(present)
    }
  }

  /** One document that can't be written fails its whole batch: so its halves go apart, down to the one. */
  async function insertApart(collection: StoredCollection, documents: Document[], cause: Error): Promise<Set<string>> {
    const [first, ...others] = documents
    if (first && others.length === 0) throw new Refused(new Map([[first._id, cause.message]]), { cause })
    const middle = Math.ceil(documents.length / 2)
    const present = new Set<string>()
    const refused = new Map<string, string>()
    for (const half of [documents.slice(0, middle), documents.slice(middle)]) {
      try {
        for (const id of await insert(collection, half)) present.add(id)
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

/** NamespaceExists. */
function ifAlreadyThere(error: unknown): void {
  if (!(error instanceof MongoServerError) || error.code !== 48) throw error
}
