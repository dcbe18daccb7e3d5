import { randomUUID } from 'node:crypto'
import { type Document as Bson, MongoClient, ObjectId } from 'mongodb'
import { afterAll, beforeEach, expect, test } from 'vitest'
import type { StoredCollection } from '#core/store.ts'
import type { Document } from '#domains/domain.ts'
import { readConfig } from '#main/config.ts'
import { quiet } from '#test/telemetry.ts'
import { mongodbStore } from './mongodb.ts'

/** Documents that another program keeps in a collection of ours: their ids are ObjectIds. */
const { MONGODB_URI: uri } = readConfig(process.env)
const database = `foreign_${process.pid}_${randomUUID().slice(0, 8)}`
const client = new MongoClient(uri)
const store = mongodbStore({ ...quiet(), uri, database })

let collection: StoredCollection
let foreign: Bson[]

beforeEach(async () => {
  collection = {
    name: `c${randomUUID()}`,
    indexes: { time: { fields: ['time'] }, level: { fields: ['level', 'time'] } },
  }
  await store.prepare([collection])
  foreign = Array.from({ length: 30 }, (_, n) => ({ _id: new ObjectId(), title: `old ${n}`, level: 1, _class: 'a.B' }))
  await client.db(database).collection(collection.name).insertMany(foreign)
})

afterAll(async () => {
  await store.close()
  await client.db(database).dropDatabase()
  await client.close()
})

const ours = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    _id: `id-${String(n).padStart(3, '0')}`,
    level: 1,
    time: `2026-${n % 3}`,
  }))

test.each([false, true])(
  'pages have every document of ours once, and no other (newest first: %s)',
  async (newestFirst) => {
    await store.insert(collection, ours(20))
    const met: string[] = []
    let after: Document | undefined
    do {
      const page = await store.find(collection, { index: 'time', limit: 7, newestFirst, ...(after ? { after } : {}) })
      met.push(...page.map(({ _id }) => _id))
      after = page.length < 7 ? undefined : page.at(-1)
    } while (after)
    expect(met.toSorted()).toEqual(ours(20).map(({ _id }) => _id))
  },
)

test('counts exclude documents of another program', async () => {
  await store.insert(collection, ours(4))
  const count = { index: 'level', where: { level: 1 }, by: [{ field: 'level' }], limit: 10 }
  expect(await store.count(collection, count)).toEqual([{ key: [1], count: 4 }])
})

test('the hexadecimal digits of a foreign id are a free id, and both documents stay', async () => {
  const id = String(foreign[0]?._id)
  expect(await store.insert(collection, [{ _id: id, title: 'new', time: '2026' }])).toEqual(new Set())
  expect(await store.get(collection, [id])).toEqual(new Map([[id, { _id: id, title: 'new', time: '2026' }]]))
  const kept = await client.db(database).collection(collection.name).find({ title: /^old/ }).toArray()
  expect(kept).toEqual(foreign)
})

test('a watch does not report inserts of another program', async () => {
  const stop = new AbortController()
  const begun = Promise.withResolvers<void>()
  const watch = store.watch(collection, { signal: stop.signal, onBegun: () => begun.resolve() })[Symbol.asyncIterator]()
  const first = watch.next()
  await begun.promise
  await client.db(database).collection(collection.name).insertOne({ title: 'old', _class: 'a.B' })
  await store.insert(collection, ours(1))
  expect((await first).value?.document._id).toBe('id-000')
  stop.abort()
})

test('documents of another program do not expire, and ours do from now on', async () => {
  await store.insert(collection, ours(1))
  await store.prepare([{ ...collection, expireAfter: 3600 }])
  const all = await client.db(database).collection(collection.name).find().toArray()
  expect(all.filter((document) => '_at' in document).map(({ _id }) => String(_id))).toEqual(['id-000'])
})
