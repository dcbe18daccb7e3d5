import { type Document as Bson, type Collection, type Db, MongoServerError } from 'mongodb'
import type { StoredCollection } from '#core/store.ts'
import type { Logger } from '#core/telemetry.ts'
import { EXPIRY_START, type StoredDocument, WITH_STRING_ID } from './mongodb-document.ts'

/** Makes a collection and its indexes. Safe to repeat. */
export async function prepareCollection(db: Db, { name, indexes, expireAfter }: StoredCollection): Promise<void> {
  await db.createCollection(name).catch(unlessCode(NAMESPACE_EXISTS))
  const collection = db.collection<StoredDocument>(name)
  const keys = Object.entries(indexes)
    .filter(([, { fields }]) => fields.length > 0)
    .map(([index, { fields }]) => ({ name: index, key: ascending(fields) }))
  if (keys.length > 0) await collection.createIndexes(keys)
  await setExpiry(collection, expireAfter)
}

const ascending = (fields: string[]) => Object.fromEntries([...fields, '_id'].map((field) => [field, 1 as const]))

/**
 * Drops an index that differs and makes it again, because changing it takes a right that `readWrite` does not include.
 * Documents that were written before the collection had an expiry count from now.
 */
async function setExpiry(collection: Collection<StoredDocument>, expireAfter: number | undefined): Promise<void> {
  const name = 'expiry'
  const known = (await collection.listIndexes().toArray()).find((index) => index.name === name)
  if (known && known.expireAfterSeconds !== expireAfter) {
    await collection.dropIndex(name).catch(unlessCode(INDEX_NOT_FOUND))
  }
  if (expireAfter === undefined) return
  await collection.createIndex({ [EXPIRY_START]: 1 }, { name, expireAfterSeconds: expireAfter })
  const withoutStart = { [EXPIRY_START]: null, ...WITH_STRING_ID } as Bson
  await collection.updateMany(withoutStart, { $set: { [EXPIRY_START]: new Date() } })
}

/** Warns of documents of another program. They stay unchanged; a migration imports them as commands. */
export async function warnOfForeignDocuments(
  collection: Collection<StoredDocument>,
  logger: Pick<Logger, 'warn'>,
): Promise<void> {
  const foreign = await collection.findOne({ _id: { $type: 'objectId' } } as Bson, { projection: { _id: 1 } })
  if (!foreign) return
  const advice = 'no query finds them; make import imports tutorials, as docs/operations.md says'
  logger.warn({ collection: collection.collectionName, advice }, 'there are documents of another program')
}

const NAMESPACE_EXISTS = 48
const INDEX_NOT_FOUND = 27

/** Rethrows every error but that of the server with this code. */
const unlessCode =
  (code: number) =>
  (error: unknown): void => {
    if (!(error instanceof MongoServerError) || error.code !== code) throw error
  }
