import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { MongoClient } from 'mongodb'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Conflict, Refused, type Store, type StoredCollection, type Write } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import { readConfig } from '#main/config.ts'
import { idsOf, newCollection } from '#test/contracts/store.ts'
import { expectWhole } from '#test/contracts/store-commit.ts'
import { add, addUntilKilled, newLedger } from '#test/contracts/store-ledger.ts'
import { eventually, freePort } from '#test/mill.ts'
import { type Services, startServices } from '#test/services/services.ts'
import { quiet } from '#test/telemetry.ts'
import { mongodbStore } from './mongodb.ts'

/** What only MongoDB can do to a commit. */

const { MONGODB_URI: uri } = readConfig(process.env)

/** Of this run alone; dropped at its end. */
const database = `commit_${process.pid}_${randomUUID().slice(0, 8)}`

let client: MongoClient
let store: Store
let one: StoredCollection
let two: StoredCollection

beforeAll(() => {
  client = new MongoClient(uri)
})

afterAll(async () => {
  await client.db(database).dropDatabase()
  await client.close()
})

beforeEach(async () => {
  store = mongodbStore({ ...quiet(), uri, database })
  ;[one, two] = [newCollection(), newCollection()]
  await store.prepare([one, two])
})

afterEach(() => store.close())

const idsIn = async (collection: StoredCollection) =>
  idsOf(await store.find(collection, { index: 'time', limit: 1000 })).toSorted()

describe('mongodb store: documents that a commit can not keep', () => {
  test.each<[string, () => object]>([
    ['more than 16 MB', () => ({ text: 'x'.repeat(17 * 1024 * 1024) })],
    ['a zero byte in a name', () => ({ 'a\u0000b': 1 })],
    ['a name that the driver does not write', () => ({ in: [{ _bsontype: 'ObjectId' }] })],
  ])('given %s, then it is refused, nothing is written, and the next commit is as any other', async (_, fields) => {
    await store.commit([{ collection: one, swap: [{ _id: 'head', generation: 1 }] }])
    const bad = { _id: 'bad', generation: 1, ...fields() }
    for (const write of [{ insert: [bad] }, { put: [bad] }, { swap: [bad] }]) {
      const head = { collection: one, swap: [{ _id: 'head', generation: 2 }] }
      const commit = store.commit([head, { collection: two, ...write }])
      await expect(commit).rejects.toBeInstanceOf(Refused)
    }
    expect([await idsIn(one), await idsIn(two)]).toEqual([['head'], []])
    await store.commit([{ collection: one, swap: [{ _id: 'head', generation: 2 }] }])
  })

  test.each<Omit<Write, 'collection'>>([
    { insert: [{ _id: 'c' }, { _id: 'b', title: 'x' }] },
    { put: [{ _id: 'c' }, { _id: 'b', title: 'x' }] },
    { put: [{ _id: 'c' }], swap: [{ _id: 'b', title: 'x', generation: 1 }] },
  ])('given a unique index of somebody else, then its duplicate is refused, and no conflict (%o)', async (write) => {
    await client.db(database).collection(one.name).createIndex({ title: 1 }, { unique: true, sparse: true })
    await store.insert(one, [{ _id: 'a', title: 'x' }])
    const error = await store.commit([{ collection: one, ...write }]).catch((error) => error)
    expect(error).toBeInstanceOf(Refused)
    expect([...error.reasons.keys()]).toEqual(['b'])
    expect(await idsIn(one)).toEqual(['a'])
  })
})

test('given a collection that expires, then all that is written says since when, also again', async () => {
  const expiring = { ...newCollection(), expireAfter: 3600 }
  await store.prepare([expiring])
  const stored = async (collection: StoredCollection) =>
    await client.db(database).collection(collection.name).find().sort({ _id: 1 }).toArray()
  const writes = { insert: [{ _id: 'a' }], put: [{ _id: 'b' }], swap: [{ _id: 'c', generation: 1 }] }
  await store.commit([
    { collection: expiring, ...writes },
    { collection: one, ...writes },
  ])
  const first = (await stored(expiring)).map(({ _at }) => _at)
  for (const at of first) expect(Date.now() - at.getTime()).toBeLessThan(5000)
  await new Promise((resolve) => setTimeout(resolve, 5))
  await store.commit([{ collection: expiring, put: [{ _id: 'b' }], swap: [{ _id: 'c', generation: 2 }] }])
  const again = (await stored(expiring)).map(({ _at }) => _at)
  expect(again.map((at, index) => at > first[index])).toEqual([false, true, true])
  for (const document of await stored(one)) expect(document).not.toHaveProperty('_at')
})

describe('mongodb store: two processes that commit', () => {
  let other: Store

  beforeEach(() => {
    other = mongodbStore({ ...quiet(), uri, database })
  })

  afterEach(() => other.close())

  test('given zombies of one another, then of each commit exactly one is done, whole', async () => {
    for (let round = 0; round < 20; round++) {
      const ids = ['a', 'b', 'c'].map((id) => `${round}-${id}`)
      const commit = (by: number) => {
        const insert = ids.map((_id) => ({ _id, by }))
        const writes = [one, two].map((collection) => ({ collection, insert: by ? insert : insert.toReversed() }))
        return [store, other][by]?.commit(by ? writes : writes.toReversed())
      }
      const ends = await Promise.allSettled([0, 1].map(commit))
      const winners = [0, 1].filter((by) => ends[by]?.status === 'fulfilled')
      for (const end of ends) if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(Conflict)
      expect(winners.length).toBeLessThanOrEqual(1)
      for (const collection of [one, two]) {
        const found = [...(await store.get(collection, ids)).values()]
        expect(found.map(({ by }) => by)).toEqual(winners.flatMap((winner) => [winner, winner, winner]))
      }
    }
  })

  test('given many in both who add to one total, then the sum is exact', async () => {
    const ledger = newLedger()
    await store.prepare([ledger.totals, ledger.entries])
    const adders = Array.from({ length: 10 }, async (_, by) => {
      const numbers: number[] = []
      for (let time = 0; time < 3; time++) numbers.push(await add(by % 2 ? store : other, ledger))
      return numbers
    })
    expect(new Set((await Promise.all(adders)).flat()).size).toBe(30)
    await expectWhole(store, ledger, 30)
    await expectWhole(other, ledger, 30)
  })

  test('given a process that dies by kill -9 while it commits, then all that was acknowledged is there, and nothing in part', async () => {
    const openStore = `
      import { mongodbStore } from '#adapters/store/mongodb.ts'
      const store = mongodbStore(${JSON.stringify({ uri, database })})`
    for (let round = 1; round <= 3; round++) {
      const ledger = newLedger()
      const said = await addUntilKilled(openStore, ledger, 20)
      expect(said.length).toBeGreaterThanOrEqual(20)
      await expectWhole(store, ledger, said.length)
    }
  })
})

describe('mongodb store: a server that goes away from a commit', () => {
  let services: Services

  beforeAll(async () => {
    const mongodbPort = await freePort()
    services = await startServices({ dir: `.millrace/commit-test-${process.pid}`, mongodbPort, kafka: false })
  })

  afterAll(() => services?.stop())

  test('given kill -9 under load, then all that was acknowledged is there, nothing in part, and those who add go on', async () => {
    const local = mongodbStore({ ...quiet(), uri: services.mongodbUri, database })
    const ledger = newLedger()
    await local.prepare([ledger.totals, ledger.entries])
    const acknowledged: number[] = []
    const stop = new AbortController()
    const adders = Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) acknowledged.push(await add(local, ledger))
    })
    const moreThan = (count: number) => async () => expect(acknowledged.length).toBeGreaterThan(count)
    try {
      for (let round = 1; round <= 2; round++) {
        await eventually(moreThan(acknowledged.length + 30))
        await services.mongod.kill()
        await services.mongod.start()
      }
      await eventually(moreThan(acknowledged.length + 30))
    } finally {
      stop.abort()
      await Promise.all(adders)
    }
    expect(new Set(acknowledged).size).toBe(acknowledged.length)
    await expectWhole(local, ledger, Math.max(...acknowledged))
    await local.close()
  })

  test.each([1, 3])(
    'given %d answers to a commit that get lost, then it is asked for again, and done once',
    async (times) => {
      const { uri, lose, close } = await losing(services.mongodbUri)
      const local = mongodbStore({ ...quiet(), uri, database })
      const ledger = newLedger()
      await local.prepare([ledger.totals, ledger.entries])
      await add(local, ledger)
      const lost = lose(times)
      expect(await add(local, ledger)).toBe(2)
      expect(lost.count).toBe(times)
      await expectWhole(local, ledger, 2)
      await local.close()
      await close()
    },
  )

  test('given answers that all get lost, then it is an outage in time, and a commit works as soon as they arrive', async () => {
    const { uri, lose, close } = await losing(services.mongodbUri)
    const local = mongodbStore({ ...quiet(), uri, database, answerWithinMs: 2500 })
    await local.prepare([one])
    const lost = lose(Number.POSITIVE_INFINITY)
    const before = Date.now()
    const commit = local.commit([{ collection: one, swap: [{ _id: 'a', generation: 1 }] }])
    await expect(commit).rejects.toBeInstanceOf(Unavailable)
    expect(Date.now() - before).toBeLessThan(4000)
    const asked = lost.count
    expect(asked).toBeGreaterThan(1)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    // The last that was asked in time, which the driver itself asks again.
    expect(lost.count - asked).toBeLessThanOrEqual(4)
    lose(0)
    await eventually(() => local.commit([{ collection: one, swap: [{ _id: 'a', generation: 2 }] }]))
    expect((await local.get(one, ['a'])).get('a')).toEqual({ _id: 'a', generation: 2 })
    await local.close()
    await close()
  })
})

/** A way to the server that, when told to, breaks off where the answer to a commit should come: it is done, and nobody knows. */
async function losing(uri: string) {
  const { port } = new URL(uri)
  let left = 0
  let lost = { count: 0 }
  const proxy = createServer((client) => {
    const server = connect(Number(port), '127.0.0.1')
    const close = () => [client, server].map((end) => end.destroy())
    let isLost = false
    client.on('data', (message) => {
      isLost = left > 0 && message.includes('commitTransaction')
      server.write(message)
    })
    server.on('data', (message) => {
      if (!isLost) return client.write(message)
      left--
      lost.count++
      close()
    })
    for (const end of [client, server]) end.on('close', close).on('error', close)
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  return {
    uri: uri.replace(port, `${(proxy.address() as AddressInfo).port}`),
    lose: (times: number) => {
      left = times
      lost = { count: 0 }
      return lost
    },
    close: () => new Promise((resolve) => proxy.close(resolve)),
  }
}
