import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Refused, type Store, type StoredCollection } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import { type Ground, newCollection } from './store.ts'
import { UNSTORABLE } from './unstorable.ts'

/** What every adapter's `watchIds` must do. */
export function idsContract(name: string, makeGround: () => Promise<Ground>): void {
  describe(`store contract: ${name}: watchIds`, () => {
    let ground: Ground
    let store: Store
    let [one, two, other] = [newCollection(), newCollection(), newCollection()]

    beforeAll(async () => {
      ground = await makeGround()
    })

    afterAll(() => ground?.remove())

    afterEach(() => store.close())

    async function given(): Promise<void> {
      store = ground.open()
      ;[one, two, other] = [newCollection(), newCollection(), newCollection()]
      await store.prepare([one, two, other])
    }

    /** A watch that has begun. */
    async function watching(collections: StoredCollection[]) {
      const items = store.watchIds(collections)[Symbol.asyncIterator]()
      expect(await items.next()).toMatchObject({ done: false })
      return {
        items,
        /** The ids up to `last`. Each document can be read when its id arrives. */
        async until(last: string): Promise<Set<string>> {
          const found = new Set<string>()
          while (!found.has(last)) {
            const { value = [], done } = await items.next()
            if (done) expect.fail(`the watch ended before ${last}`)
            const all = await Promise.all(collections.map((collection) => store.get(collection, value)))
            for (const id of value) expect(all.some((some) => some.has(id))).toBe(true)
            for (const id of value) found.add(id)
          }
          return found
        },
      }
    }

    test('given a watch of two collections, then it tells the inserts of every kind, and none of a third one', async () => {
      await given()
      const { until } = await watching([one, two])
      await store.insert(one, [{ _id: 'a' }, { _id: 'b' }])
      await store.insert(other, [{ _id: 'of another' }])
      await store.commit([
        { collection: two, insert: [{ _id: 'inserted' }], put: [{ _id: 'put' }] },
        { collection: one, swap: [{ _id: 'swapped', generation: 1 }], own: [{ _id: 'owned', _stream: 's' }] },
        { collection: other, insert: [{ _id: 'of another, committed' }] },
      ])
      await store.insert(two, [{ _id: 'last' }])
      const ids = [...(await until('last'))].toSorted()
      expect(ids).toEqual(['a', 'b', 'inserted', 'last', 'owned', 'put', 'swapped'])
    })

    test('given a document that can not be stored, then those beside it are told', async () => {
      await given()
      const { until } = await watching([one])
      const [[, bad] = []] = UNSTORABLE
      const documents = [{ _id: 'a' }, { _id: 'bad', value: bad?.() ?? null }, { _id: 'b' }]
      await expect(store.insert(one, documents)).rejects.toBeInstanceOf(Refused)
      await store.insert(one, [{ _id: 'last' }])
      expect([...(await until('last'))]).toEqual(expect.arrayContaining(['a', 'b']))
    })

    test('given many concurrent inserts, then each of two watches tells all of them', async () => {
      await given()
      const watches = [await watching([one, two]), await watching([one])]
      const batches = Array.from({ length: 30 }, (_, batch) => Array.from({ length: 20 }, (_, at) => `${batch}-${at}`))
      const insert = (batch: string[]) =>
        store.insert(
          one,
          batch.map((_id) => ({ _id })),
        )
      await Promise.all(batches.map(insert))
      await insert(['last'])
      for (const { until } of watches) expect((await until('last')).size).toBe(601)
    })

    test('given one insert of very many documents, then all of them are told', async () => {
      await given()
      const { until } = await watching([one])
      const documents = Array.from({ length: 3000 }, (_, at) => ({ _id: `id-${at}`, text: 'x'.repeat(500) }))
      await store.insert(one, documents)
      await store.insert(one, [{ _id: 'last' }])
      expect((await until('last')).size).toBe(3001)
    })

    test('given a watch that waits, then an insert wakes it', async () => {
      await given()
      const { until } = await watching([one])
      for (let count = 0; count < 5; count++) {
        const told = until(`id-${count}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
        await store.insert(one, [{ _id: `id-${count}` }])
        await told
      }
    })

    test('given a store that closes, then its watch ends or throws Unavailable, and no other one begins', async () => {
      await given()
      const { items } = await watching([one])
      async function drain(): Promise<unknown> {
        for (;;) if ((await items.next()).done) return 'ended'
      }
      const end = drain().catch((error) => error)
      await store.close()
      expect([expect.any(Unavailable), 'ended']).toContainEqual(await end)
      await expect(store.watchIds([one])[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(Unavailable)
    })
  })
}
