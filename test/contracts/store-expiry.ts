import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ResumeLost, type Store, type StoredCollection } from '#core/store.ts'
import type { Document } from '#domains/domain.ts'
import { type Ground, idsOf, newCollection } from './store.ts'

/** MongoDB looks once a minute what is over. */
const REMOVED_WITHIN_MS = 100_000

/** What every adapter whose documents expire must do. */
export function expiryContract(name: string, makeGround: () => Promise<Ground>): void {
  describe(`store contract: ${name}: expiry`, () => {
    let ground: Ground
    let store: Store

    beforeAll(async () => {
      ground = await makeGround()
    })

    afterAll(() => ground?.remove())

    afterEach(() => store.close())

    async function given(more: Partial<StoredCollection>): Promise<StoredCollection> {
      const collection = { ...newCollection(), ...more }
      await store.prepare([collection])
      return collection
    }

    const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString()
    const all = async (collection: StoredCollection) => {
      const found = await store.find(collection, { index: 'time', limit: 100 })
      return idsOf(found).toSorted()
    }

    async function until(done: () => Promise<boolean>, collections: StoredCollection[]): Promise<void> {
      for (const end = Date.now() + REMOVED_WITHIN_MS; !(await done()); await setTimeout(500)) {
        if (Date.now() > end) throw new Error('what is over was not removed')
        await store.prepare(collections)
      }
    }

    test('given documents, then each is removed once its time is over, and no other, by what is asked for last', async () => {
      store = ground.open()
      const from: Partial<StoredCollection> = { expireAfter: 1000, expireFrom: 'born' }
      const counted = await given(from)
      await store.insert(counted, [
        { _id: 'late', born: ago(2000) },
        { _id: 'young', born: ago(100) },
        { _id: 'unborn' },
        { _id: 'number', born: 5 },
        { _id: 'words', born: 'long ago' },
      ])
      await store.commit([
        {
          collection: counted,
          insert: [{ _id: 'inserted', born: ago(2000) }],
          put: [{ _id: 'put', born: ago(2000) }],
          swap: [{ _id: 'swapped', generation: 1, born: ago(2000) }],
        },
      ])
      const old: Document = { _id: 'old', born: ago(2000) }
      const shorter = await given({ ...from, expireAfter: 10_000 })
      const longer = await given({ ...from, expireAfter: 3000 })
      const never = await given({ ...from, expireAfter: 3000 })
      const first = await given({ expireFrom: 'born' })
      for (const collection of [shorter, first]) await store.insert(collection, [old])
      const wanted = [
        counted,
        { ...shorter, expireAfter: 1000 },
        { ...longer, expireAfter: 10_000 },
        { ...newCollection(), name: never.name },
        { ...first, expireAfter: 0 },
      ]
      for (let time = 0; time < 2; time++) await store.prepare(wanted)
      for (const collection of [longer, never]) await store.insert(collection, [{ _id: 'old', born: ago(5000) }])
      const areGone = async () => {
        const left = [...(await all(shorter)), ...(await all(first)), ...(await all(counted))]
        return left.join() === 'number,unborn,words,young'
      }
      await until(areGone, wanted)
      for (const collection of [longer, never]) expect(await all(collection)).toEqual(['old'])
      expect(await store.find(counted, { index: 'time', limit: 1 })).toEqual([{ _id: 'number', born: 5 }])
    })

    test('given inserts that have expired, then a watch from before them has all of them or throws ResumeLost, and one from after them continues', async () => {
      store = ground.open()
      const collection = await given({ expireAfter: 1000, expireFrom: 'born' })
      const stopping = new AbortController()
      const { signal } = stopping
      const start = Promise.withResolvers<string>()
      const inserts = store.watch(collection, { signal, onBegun: start.resolve })[Symbol.asyncIterator]()
      let next = inserts.next()
      const before = await start.promise
      let after = ''
      for (const _id of ['a', 'b', 'c']) {
        await store.insert(collection, [{ _id, born: _id === 'b' ? ago(2000) : ago(10) }])
        after = (await next).value.resume
        next = inserts.next()
      }
      await until(async () => (await all(collection)).join() === 'a,c', [collection])
      stopping.abort()
      await next
      await store.insert(collection, [{ _id: 'd', born: ago(10) }])

      async function idsAfter(resume: string): Promise<string> {
        const found: Document[] = []
        const options = { resume, untilNow: true, signal: new AbortController().signal }
        for await (const { document } of store.watch(collection, options)) found.push(document)
        return idsOf(found).join()
      }
      const known = await idsAfter(before).catch((error) => (error instanceof ResumeLost ? 'lost' : error))
      expect(['lost', 'a,b,c,d']).toContain(known)
      expect(await idsAfter(after)).toBe('d')
    })
  })
}
