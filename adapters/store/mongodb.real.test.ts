import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Refused, type Store, type StoredCollection } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import { readConfig } from '#main/config.ts'
import { newCollection, storeContract } from '#test/contracts/store.ts'
import { commitContract } from '#test/contracts/store-commit.ts'
import { expiryContract } from '#test/contracts/store-expiry.ts'
import { idsContract } from '#test/contracts/store-ids.ts'
import { indexContract } from '#test/contracts/store-index.ts'
import { eventually, freePort } from '#test/mill.ts'
import { type Services, startServices } from '#test/services/services.ts'
import { quiet } from '#test/telemetry.ts'
import { mongodbStore } from './mongodb.ts'

const { MONGODB_URI: uri } = readConfig(process.env)

/** Of this run alone; dropped at its end. */
const database = `contract_${process.pid}_${randomUUID().slice(0, 8)}`

async function drop(): Promise<void> {
  const client = new MongoClient(uri)
  await client.db(database).dropDatabase()
  await client.close()
}

const makeGround = async () => ({ open: () => mongodbStore({ ...quiet(), uri, database }), remove: drop })

storeContract('mongodb', makeGround)
commitContract('mongodb', makeGround)
indexContract('mongodb', makeGround)
idsContract('mongodb', makeGround)
expiryContract('mongodb', makeGround)

describe('mongodb store: documents that it can not keep', () => {
  let store: Store
  let collection: StoredCollection

  beforeAll(async () => {
    store = mongodbStore({ ...quiet(), uri, database })
    collection = newCollection()
    await store.prepare([collection])
  })

  afterAll(async () => {
    await store.close()
    await drop()
  })

  const refusal = (documents: Parameters<Store['insert']>[1]): Promise<Refused> =>
    store.insert(collection, documents).then(
      () => expect.fail('nothing was refused'),
      (error) => {
        expect(error).toBeInstanceOf(Refused)
        return error
      },
    )

  const stored = async (...ids: string[]) => [...(await store.get(collection, ids)).keys()].toSorted()

  test('given one of more than 16 MB, then it is refused alone, and those beside it are stored', async () => {
    await store.insert(collection, [{ _id: 'old', text: 'kept' }])
    const error = await refusal([
      { _id: 'a' },
      { _id: 'big', text: 'x'.repeat(17 * 1024 * 1024) },
      { _id: 'old', text: 'other' },
      { _id: 'b' },
    ])
    expect([...error.reasons.keys()]).toEqual(['big'])
    expect(await stored('a', 'b', 'big', 'old')).toEqual(['a', 'b', 'old'])
    expect((await store.get(collection, ['old'])).get('old')).toEqual({ _id: 'old', text: 'kept' })
  })

  test('given it alone, then it is refused as well', async () => {
    const error = await refusal([{ _id: 'huge', text: 'ü'.repeat(9 * 1024 * 1024) }])
    expect([...error.reasons.keys()]).toEqual(['huge'])
    expect(await stored('huge')).toEqual([])
  })

  test.each(['{"a\\u0000b":1}', '{"_bsontype":"ObjectId"}', '{"in":[{"_bsontype":{}}]}'])(
    'given %s, which the driver can not write, then it is refused alone',
    async (text) => {
      const [before, bad, after] = [randomUUID(), randomUUID(), randomUUID()]
      const error = await refusal([{ _id: before }, { _id: bad, said: JSON.parse(text) }, { _id: after }])
      expect([...error.reasons.keys()]).toEqual([bad])
      expect(await stored(before, bad, after)).toEqual([before, after].toSorted())
    },
  )
})

describe('mongodb store: an index of somebody else', () => {
  test('given a unique one, then its duplicate is refused, and not taken for an id that was there', async () => {
    const store = mongodbStore({ ...quiet(), uri, database })
    const collection = newCollection()
    await store.prepare([collection])
    const client = new MongoClient(uri)
    await client.db(database).collection(collection.name).createIndex({ title: 1 }, { unique: true })
    await store.insert(collection, [{ _id: 'a', title: 'x' }])
    const inserted = store.insert(collection, [
      { _id: 'b', title: 'x' },
      { _id: 'a', title: 'y' },
      { _id: 'c', title: 'z' },
    ])
    const error = await inserted.catch((error) => error)
    expect(error).toBeInstanceOf(Refused)
    expect([...error.reasons.keys()]).toEqual(['b'])
    expect([...(await store.get(collection, ['a', 'b', 'c'])).keys()].toSorted()).toEqual(['a', 'c'])
    await client.close()
    await store.close()
    await drop()
  })
})

describe('mongodb store: a server that goes away', () => {
  let services: Services
  let store: Store
  const collection = newCollection()

  beforeAll(async () => {
    const mongodbPort = await freePort()
    services = await startServices({ dir: `.millrace/store-test-${process.pid}`, mongodbPort, kafka: false })
    store = mongodbStore({ ...quiet(), uri: services.mongodbUri, database: 'store' })
    await store.prepare([collection])
  })

  afterAll(async () => {
    await store?.close()
    await services?.stop()
  })

  async function within<Result>(ms: number, call: () => Promise<Result>): Promise<Result> {
    const before = Date.now()
    return await call().finally(() => expect(Date.now() - before).toBeLessThan(ms))
  }

  test('given a server that dies by kill -9, then calls are refused within 4 s, and answered within 5 s of its return', async () => {
    await store.insert(collection, [{ _id: 'before', time: 1 }])
    await services.mongod.kill()
    const calls: (() => Promise<unknown>)[] = [
      () => store.insert(collection, [{ _id: 'away' }]),
      () => store.commit([{ collection, insert: [{ _id: 'away' }] }]),
      () => store.get(collection, ['before']),
      () => store.find(collection, { index: 'time', limit: 1 }),
      () => store.remove(collection, ['before']),
      () => store.prepare([collection]),
      () => store.ping(),
      () => store.watch(collection, { signal: new AbortController().signal })[Symbol.asyncIterator]().next(),
      () => store.watchIds([collection])[Symbol.asyncIterator]().next(),
    ]
    await Promise.all(
      calls.map((call) => within(4000, () => expect(call(), String(call)).rejects.toBeInstanceOf(Unavailable))),
    )
    await services.mongod.start()
    await within(5000, () => eventually(() => store.insert(collection, [{ _id: 'after' }])))
    expect([...(await store.get(collection, ['before', 'after'])).keys()].toSorted()).toEqual(['after', 'before'])
  })

  test('given a server that is away at the first call, then each kind of call works within 5 s of its return', async () => {
    const { signal } = new AbortController()
    await services.mongod.kill()
    const calls: ((store: Store) => Promise<unknown>)[] = [
      (store) => store.insert(collection, [{ _id: randomUUID() }]),
      (store) => store.commit([{ collection, insert: [{ _id: randomUUID() }] }]),
      (store) => store.get(collection, ['before']),
      (store) => store.find(collection, { index: 'time', limit: 1 }),
      (store) => store.count(collection, { index: 'time', by: [], limit: 1 }),
      (store) => store.remove(collection, ['before']),
      (store) => store.prepare([collection]),
      (store) => store.ping(),
      (store) => begun(store, signal),
      (store) => store.watchIds([collection])[Symbol.asyncIterator]().next(),
    ]
    const stores = calls.map(() =>
      mongodbStore({ ...quiet(), uri: services.mongodbUri, database: 'store', selectWithinMs: 300 }),
    )
    for (let time = 0; time < 2; time++) {
      await Promise.all(
        calls.map((call, at) => expect(call(stores[at] as Store), String(call)).rejects.toBeInstanceOf(Unavailable)),
      )
    }
    await services.mongod.start()
    await within(5000, () => Promise.all(calls.map((call, at) => eventually(() => call(stores[at] as Store)))))
    await Promise.all(stores.map((store) => store.close()))
  })

  /** Resolves once a watch has begun. */
  async function begun(store: Store, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const inserts = store.watch(collection, { signal, onBegun: () => resolve() })[Symbol.asyncIterator]()
    inserts.next().then(() => resolve(), reject)
    await promise
  }

  test('given kill -9 under load, then all that was acknowledged is there, and what was not can be repeated', async () => {
    const acknowledged: string[] = []
    const stop = new AbortController()
    const writing = write(acknowledged, stop.signal)
    const moreThan = (count: number) => async () => expect(acknowledged.length).toBeGreaterThan(count)
    try {
      await eventually(moreThan(400))
      await services.mongod.kill()
      await services.mongod.start()
      await eventually(moreThan(acknowledged.length + 100))
    } finally {
      stop.abort()
      await writing
    }
    const stored = new Set((await store.get(collection, acknowledged)).keys())
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
  })

  /** Batch by batch, each repeated until it is acknowledged. */
  async function write(acknowledged: string[], stop: AbortSignal): Promise<void> {
    for (let batch = 0; !stop.aborted; ) {
      const ids = Array.from({ length: 20 }, (_, at) => `${batch}-${at}`)
      try {
        await store.insert(
          collection,
          ids.map((_id) => ({ _id })),
        )
        acknowledged.push(...ids)
        batch++
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }
})
