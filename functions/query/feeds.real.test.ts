import { MongoClient } from 'mongodb'
import { afterAll, expect, test } from 'vitest'
import { mongodbStore } from '#adapters/store/mongodb.ts'
import { systemClock } from '#core/clock.ts'
import { changes, collections } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import { type Inserted, ResumeLost } from '#core/store.ts'
import type { Document } from '#domains/domain.ts'
import { persister } from '#functions/persist/persister.ts'
import { config } from '#main/config.ts'
import { eventually } from '#test/mill.ts'
import { shop } from '#test/shop.ts'
import { quiet } from '#test/telemetry.ts'
import { trusting } from '#test/trust.ts'
import { feedsOf } from './feeds.ts'
import { queryStore } from './query-store.ts'

const GREEDY = 40
const BEHIND = 50
const BETWEEN = 10_000
const { MONGODB_URI: uri } = config()
const database = `feeds_${process.pid}`
const LIMIT = { within: 90_000, every: 5 }

afterAll(async () => {
  const client = new MongoClient(uri)
  await client.db(database).dropDatabase()
  await client.close()
})

test('given 40 clients that are far behind on MongoDB, then a client that is 50 inserts behind waits hardly longer than without them', async () => {
  const store = mongodbStore({ ...quiet(), uri, database })
  const collection = { name: `feeds-${crypto.randomUUID()}`, indexes: {} }
  await store.prepare([collection])
  const feeds = feedsOf(store, quiet())

  function join(place?: string) {
    const heard: string[] = []
    let hasBegun = false
    const listener = {
      begun: () => (hasBegun = true),
      inserted: ({ document, resume }: Inserted) => void heard.push(document.text === undefined ? resume : ''),
      ended: () => heard.push('ended'),
    }
    const leave = feeds.join(collection, place, listener, 'at 127.0.0.1')
    return { heard: () => heard.filter(Boolean), hasBegun: () => hasBegun, leave }
  }
  /** Inserts documents. `join` records the positions of those without a text only. */
  const write = (from: number, count: number, more = {}) =>
    store.insert(
      collection,
      Array.from({ length: count }, (_, at) => ({ _id: `id-${from + at}`, ...more })),
    )

  const listener = join()
  await eventually(async () => expect(listener.hasBegun()).toBe(true), LIMIT)
  await write(0, GREEDY)
  for (let written = 0; written < BETWEEN; written += 1000)
    await write(GREEDY + written, 1000, { text: 'x'.repeat(200) })
  await write(GREEDY + BETWEEN, BEHIND + 1)
  await eventually(async () => expect(listener.heard()).toHaveLength(GREEDY + BEHIND + 1), LIMIT)
  const places = listener.heard()
  listener.leave()

  async function calmWait(): Promise<number> {
    const began = performance.now()
    const calm = join(places.at(-1 - BEHIND))
    await eventually(async () => expect(calm.heard()).toEqual(places.slice(-BEHIND)), LIMIT)
    calm.leave()
    return performance.now() - began
  }
  const alone = await calmWait()
  // The newest place first, so that no read passes the place of another one.
  const greedy = places.slice(0, GREEDY).toReversed().map(join)
  const [together, late] = [await calmWait(), await calmWait()]
  for (const { leave } of greedy) leave()
  await store.close()
  expect(Math.max(together, late), `alone ${alone} ms, with others ${together} and ${late} ms`).toBeLessThan(
    4 * alone + 2000,
  )
})

test('given two instances of persist on MongoDB, then the changes of each document follow one another, also from a position in between', async () => {
  const store = mongodbStore({ ...quiet(), uri, database })
  await store.prepare(collections([shop]))
  const parts = { ...quiet(), domains: [shop], store, clock: systemClock, random: Math.random }
  const persisters = ['a', 'b'].map((instance) => persister({ ...parts, instance, maxInFlight: 100, trust: trusting }))
  const stopping = new AbortController()
  const found: Inserted[] = []
  const begun = Promise.withResolvers<string>()
  const { watch } = queryStore(store, [shop])
  const watching = (async () => {
    const options = { signal: stopping.signal, onBegun: begun.resolve }
    for await (const inserted of watch(changes, options)) found.push(inserted)
  })()
  const start = await begun.promise

  const run = crypto.randomUUID()
  const orders = [1, 2, 3].map((number) => `${run} ${number}`)
  async function write(at: number): Promise<void> {
    const id = orders[at % 3] as string
    const delivery: Delivery = {
      ...{
        specversion: '1.0',
        id: `${run}-${at}`,
        source: '/test',
        type: 'shop.write',
        time: new Date().toISOString(),
      },
      ...{ partitionkey: `order/${id}`, knativekafkapartition: '0', knativekafkaoffset: String(at) },
      data: { id, state: `state ${at}`, memo: 'x'.repeat(at === 59 ? 300_000 : 10) },
    }
    expect(await persisters[at % 2]?.persist(delivery)).toMatchObject({ status: 204 })
  }
  await Promise.all(Array.from({ length: 59 }, (_, at) => write(at)))
  const stored = await store.get({ name: 'orders', indexes: {} }, orders)
  const stateOf = (document: unknown) => (document as Document | null)?.state
  const last = () => new Map(found.map(({ document }) => [(document.after as Document | null)?._id, document.after]))
  await eventually(async () => {
    for (const id of orders) expect(stateOf(last().get(id))).toBe(stored.get(id)?.state)
  }, LIMIT)
  const ends = new Map<string, unknown>()
  for (const { document } of found) {
    const after = document.after as Document
    expect(stateOf(document.before)).toBe(ends.get(after._id))
    ends.set(after._id, after.state)
  }

  await write(59)
  // The record of the order is followed by that of its view.
  const ofOrder = () => found.findLast(({ document }) => document.collection === 'orders')
  await eventually(async () => {
    expect(ofOrder()?.document).toMatchObject({ before: null, after: null })
    expect(found.at(-1)?.document.collection).not.toBe('orders')
  }, LIMIT)
  async function after(resume: string): Promise<Inserted[]> {
    const all: Inserted[] = []
    const options = { resume, untilNow: true, signal: new AbortController().signal }
    for await (const inserted of watch(changes, options)) all.push(inserted)
    return all
  }
  expect(await after(start)).toEqual(found)
  const middle = Math.floor(found.length / 2)
  expect(await after(found[middle]?.resume ?? '')).toEqual(found.slice(middle + 1))
  await expect(after(start.replace('changes ', ''))).rejects.toBeInstanceOf(ResumeLost)
  stopping.abort()
  await watching
  for (const { close } of persisters) await close()
  await store.close()
})
