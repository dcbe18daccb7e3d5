import { MongoClient } from 'mongodb'
import { afterAll, expect, test } from 'vitest'
import { mongodbStore } from '#adapters/store/mongodb.ts'
import type { Inserted } from '#core/store.ts'
import { config } from '#main/config.ts'
import { eventually } from '#test/mill.ts'
import { quiet } from '#test/telemetry.ts'
import { feedsOf } from './feeds.ts'

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
