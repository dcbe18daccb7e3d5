import { type Document as Bson, type Collection, type Db, MongoClient, MongoServerError } from 'mongodb'
import type { Store, StoredCollection } from '#core/store.ts'
import type { Logger } from '#core/telemetry.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document } from '#domains/domain.ts'
import { commitTo } from './mongodb-commit.ts'
import { EXPIRY_START, type StoredDocument, WITH_STRING_ID, withoutExpiryStart } from './mongodb-document.ts'
import { asUnavailable } from './mongodb-errors.ts'
import { countIn, findIn } from './mongodb-find.ts'
import { insertInto } from './mongodb-insert.ts'
import { watching } from './mongodb-watch.ts'

export interface MongodbOptions {
  uri: string
  database: string
  logger: Pick<Logger, 'warn'>
  poolSize?: number
  /** How long a call looks for a primary before it says that there is none. */
  selectWithinMs?: number
  /** How long a call may take in all. */
  answerWithinMs?: number
}

/** Has the one document that `ping` writes: a server without space or without a majority can still be read. */
const PROBES = 'probes'

/** The store on MongoDB. It connects when it is first asked, so a process may start before MongoDB does. */
export function mongodbStore(options: MongodbOptions): Store {
  const { uri, database, logger, poolSize = 20, selectWithinMs = 2000, answerWithinMs = 10_000 } = options
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
  let isClosed = false
  const of = ({ name }: StoredCollection): Collection<StoredDocument> => db.collection<StoredDocument>(name)

  return {
    async prepare(wanted) {
      await orUnavailable(async () => {
        for (const collection of wanted) {
          const { name, indexes, expireAfter } = collection
          await db.createCollection(name).catch(ifAlreadyThere)
          const keys = Object.entries(indexes)
            .filter(([, { fields }]) => fields.length > 0)
            .map(([index, { fields }]) => ({ name: index, key: ascending(fields) }))
          if (keys.length > 0) await of(collection).createIndexes(keys)
          await expire(of(collection), expireAfter)
        }
      })
      await orUnavailable(() => Promise.all(wanted.map((collection) => warnOfOthers(of(collection), logger)))).catch(
        unlessAway,
      )
    },

    insert: (collection, documents) => orUnavailable(() => insertInto(of(collection), collection, documents)),

    commit: (writes) => orUnavailable(() => commitTo(client, of, writes, answerWithinMs)),

    get: (collection, ids) =>
      orUnavailable(async () => {
        const found = (await of(collection)
          .find({ _id: { $in: ids } }, withoutExpiryStart)
          .toArray()) as Document[]
        return new Map(found.map((document) => [document._id, document]))
      }),

    find: (collection, query) => orUnavailable(() => findIn(of(collection), collection, query)),

    count: (collection, query) => orUnavailable(() => countIn(of(collection), collection, query, answerWithinMs)),

    remove: (collection, ids) =>
      orUnavailable(async () => {
        await of(collection).deleteMany({ _id: { $in: ids } })
      }),

    async *watch(collection, options) {
      await connect()
      yield* watching(of(collection), options)
    },

    ping: () =>
      orUnavailable(async () => {
        const at = { $set: { at: new Date() } }
        await db.collection<{ _id: string; at: Date }>(PROBES).updateOne({ _id: 'write' }, at, { upsert: true })
      }),

    async close() {
      isClosed = true
      await client.close()
    },
  }

  /**
   * The driver connects by itself only once: a first call that finds no server leaves it with a closed topology, on which
   * every other call fails. `connect` makes a new one, and does nothing while there is one. No command is to blame for
   * what fails here, so all of it is an outage.
   */
  async function connect(): Promise<void> {
    if (isClosed) throw new Unavailable('store', 'it is closed')
    await client.connect().catch((cause) => {
      throw new Unavailable('store', cause.message, { cause })
    })
    if (isClosed) await client.close()
  }

  /**
   * The driver bounds each try on a connection, but a call may wait for one and is tried again; so the call as a whole is
   * bounded here. What goes on behind it ends in its own time; every write may be repeated.
   */
  async function orUnavailable<Result>(call: () => Promise<Result>): Promise<Result> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => late.reject(new Unavailable('store', `no answer within ${answerWithinMs} ms`)),
      answerWithinMs,
    )
    try {
      return await Promise.race([connect().then(call), late.promise])
    } catch (error) {
      throw asUnavailable(error)
    } finally {
      clearTimeout(timer)
    }
  }
}

/**
 * What differs is dropped and made anew: to change it takes a right that readWrite does not bring. What was written before
 * anything expired counts from now on.
 */
async function expire(collection: Collection<StoredDocument>, expireAfter: number | undefined): Promise<void> {
  const name = 'expiry'
  const known = (await collection.listIndexes().toArray()).find((index) => index.name === name)
  if (known && known.expireAfterSeconds !== expireAfter) await collection.dropIndex(name).catch(ifAlreadyGone)
  if (expireAfter === undefined) return
  await collection.createIndex({ [EXPIRY_START]: 1 }, { name, expireAfterSeconds: expireAfter })
  await collection.updateMany({ [EXPIRY_START]: null, ...WITH_STRING_ID } as Bson, {
    $set: { [EXPIRY_START]: new Date() },
  })
}

/** They are left as they are: a migration brings them in as commands. */
async function warnOfOthers(collection: Collection<StoredDocument>, logger: Pick<Logger, 'warn'>): Promise<void> {
  const other = await collection.findOne({ _id: { $type: 'objectId' } } as Bson, { projection: { _id: 1 } })
  if (!other) return
  const advice = 'no query finds them; make import brings tutorials in, as docs/operations.md says'
  logger.warn({ collection: collection.collectionName, advice }, 'there are documents of another program')
}

/** A warning is no reason to fail. */
function unlessAway(error: unknown): void {
  if (!(error instanceof Unavailable)) throw error
}

const ascending = (fields: string[]) => Object.fromEntries([...fields, '_id'].map((field) => [field, 1 as const]))

/** NamespaceExists. */
function ifAlreadyThere(error: unknown): void {
  if (!(error instanceof MongoServerError) || error.code !== 48) throw error
}

/** IndexNotFound. */
function ifAlreadyGone(error: unknown): void {
  if (!(error instanceof MongoServerError) || error.code !== 27) throw error
}
