import type { Store } from '#core/store.ts'
import type { Logger } from '#core/telemetry.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document } from '#domains/domain.ts'
import { boundedClient, type MongodbClientOptions } from './mongodb-client.ts'
import { commitTo } from './mongodb-commit.ts'
import { withoutExpiryStart } from './mongodb-document.ts'
import { countIn, findIn } from './mongodb-find.ts'
import { insertInto } from './mongodb-insert.ts'
import { prepareCollection, warnOfForeignDocuments } from './mongodb-prepare.ts'
import { watching, watchingIds } from './mongodb-watch.ts'

export interface MongodbOptions extends MongodbClientOptions {
  logger: Pick<Logger, 'warn'>
}

/** The collection with the one document that `ping` writes. A server without space or without a majority can still be read. */
const PROBES = 'probes'

/** The store on MongoDB. It connects at its first call, so a process may start before MongoDB does. */
export function mongodbStore({ logger, ...options }: MongodbOptions): Store {
  const { client, db, answerWithinMs, collectionOf, connect, bounded, close } = boundedClient(options)
  const closing = new AbortController()

  return {
    async prepare(wanted) {
      await bounded(async () => {
        for (const collection of wanted) await prepareCollection(db, collection)
      })
      const warnings = () => wanted.map((collection) => warnOfForeignDocuments(collectionOf(collection), logger))
      await bounded(() => Promise.all(warnings())).catch(ignoreOutage)
    },

    insert: (collection, documents) => bounded(() => insertInto(collectionOf(collection), collection, documents)),

    commit: (writes) => bounded(() => commitTo(client, collectionOf, writes, answerWithinMs)),

    get: (collection, ids) =>
      bounded(async () => {
        const found = (await collectionOf(collection)
          .find({ _id: { $in: ids } }, withoutExpiryStart)
          .toArray()) as Document[]
        return new Map(found.map((document) => [document._id, document]))
      }),

    find: (collection, query) => bounded(() => findIn(collectionOf(collection), collection, query)),

    count: (collection, query) => bounded(() => countIn(collectionOf(collection), collection, query, answerWithinMs)),

    remove: (collection, ids) =>
      bounded(async () => {
        await collectionOf(collection).deleteMany({ _id: { $in: ids } })
      }),

    async *watch(collection, options) {
      await connect()
      yield* watching(collectionOf(collection), options)
    },

    async *watchIds(collections) {
      await connect()
      yield* watchingIds(db, collections, closing.signal)
    },

    ping: () =>
      bounded(async () => {
        const at = { $set: { at: new Date() } }
        await db.collection<{ _id: string; at: Date }>(PROBES).updateOne({ _id: 'write' }, at, { upsert: true })
      }),

    async close() {
      closing.abort()
      await close()
    },
  }
}

/** A missing warning is no reason to fail. */
function ignoreOutage(error: unknown): void {
  if (!(error instanceof Unavailable)) throw error
}
