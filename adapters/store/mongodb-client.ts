import { type Collection, type Db, MongoClient } from 'mongodb'
import type { StoredCollection } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { StoredDocument } from './mongodb-document.ts'
import { asUnavailable } from './mongodb-errors.ts'

export interface MongodbClientOptions {
  uri: string
  database: string
  poolSize?: number
  /** The longest time to look for a primary. */
  selectWithinMs?: number
  /** The longest time that a call may take in all. */
  answerWithinMs?: number
}

export interface BoundedClient {
  client: MongoClient
  db: Db
  answerWithinMs: number
  collectionOf(collection: StoredCollection): Collection<StoredDocument>
  connect(): Promise<void>
  /** Connects if necessary. Rejects with `Unavailable` in an outage and after `answerWithinMs`. */
  bounded<Result>(call: () => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

export function boundedClient(options: MongodbClientOptions): BoundedClient {
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
  const db = client.db(database)
  let isClosed = false

  /**
   * The driver connects by itself only once. A first call that finds no server leaves it with a closed topology, on which
   * every other call fails. `connect` makes a new topology, and does nothing if there is one. No command can cause an error
   * here, so every error is an outage.
   */
  async function connect(): Promise<void> {
    if (isClosed) throw new Unavailable('store', 'it is closed')
    await client.connect().catch((cause) => {
      throw new Unavailable('store', cause.message, { cause })
    })
    if (isClosed) await client.close()
  }

  return {
    client,
    db,
    answerWithinMs,
    collectionOf: ({ name }) => db.collection<StoredDocument>(name),
    connect,

    /**
     * The driver bounds each attempt on a connection, but a call may wait for a connection and is repeated, so this bounds
     * the whole call. The call itself continues and ends later; every write may be repeated.
     */
    async bounded(call) {
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
    },

    async close() {
      isClosed = true
      await client.close()
    },
  }
}
