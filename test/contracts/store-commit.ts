import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Conflict, type Inserted, Refused, type Store, type StoredCollection, type Write } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document, Fields } from '#domains/domain.ts'
import { type Ground, idsOf, newCollection } from './store.ts'
import { add, type Ledger, newLedger, readLedger } from './store-ledger.ts'
import { UNSTORABLE } from './unstorable.ts'

/** What every adapter's `commit` must do. */
export function commitContract(name: string, makeGround: () => Promise<Ground>): void {
  describe(`store contract: ${name}: commit`, () => {
    let ground: Ground
    let store: Store
    let [one, two, three] = [newCollection(), newCollection(), newCollection()]

    beforeAll(async () => {
      ground = await makeGround()
    })

    afterAll(() => ground?.remove())

    afterEach(() => store.close())

    async function given(documents: Document[] = [], more: Partial<StoredCollection> = {}): Promise<void> {
      store = ground.open()
      ;[one, two, three] = [newCollection(), newCollection(), newCollection()].map((made) => ({
        ...made,
        ...more,
      })) as [StoredCollection, StoredCollection, StoredCollection]
      await store.prepare([one, two, three])
      if (documents.length > 0)
        await store.commit([one, two, three].map((collection) => ({ collection, put: documents })))
    }

    const all = async (collection = one): Promise<Document[]> =>
      (await store.find(collection, { index: 'time', limit: 10_000 })).toSorted((a, b) => (a._id < b._id ? -1 : 1))

    /** A watch that has begun: from now on, since which it has had nothing, or from a place. */
    async function watching(resume?: string) {
      const stopping = new AbortController()
      const options = { signal: stopping.signal, ...(resume === undefined ? {} : { resume }) }
      const inserts = store.watch(one, options)[Symbol.asyncIterator]()
      const stop = async () => {
        stopping.abort()
        await inserts.return?.()
      }
      if (resume !== undefined) return { inserts, stop }
      const first = inserts.next()
      let marks = 0
      for (let isBegun = false; !isBegun; ) {
        await store.insert(one, [{ _id: `mark-${marks++}` }])
        const pause = new Promise((resolve) => setTimeout(resolve, 20, false))
        isBegun = await Promise.race([first.then(() => true), pause as Promise<boolean>])
      }
      for (let mark = (await first).value.document._id; mark !== `mark-${marks - 1}`; )
        mark = (await inserts.next()).value.document._id
      return { inserts, stop }
    }

    test('given writes of every kind to three collections, then all of them are seen once it resolves', async () => {
      await given([{ _id: 'kept', text: 'old' }, { _id: 'put', text: 'old', more: 1 }, { _id: 'gone' }])
      await store.commit([{ collection: two, swap: [{ _id: 'swap', generation: 1, text: 'first' }] }])
      await store.commit([
        { collection: one, insert: [{ _id: 'a' }, { _id: 'b', time: 1 }], remove: ['gone', 'none'] },
        { collection: two, put: [{ _id: 'put', text: 'new' }, { _id: 'new' }], swap: [{ _id: 'swap', generation: 2 }] },
        { collection: three, insert: [{ _id: 'a' }], put: [{ _id: 'put' }], swap: [{ _id: 'swap', generation: 1 }] },
      ])
      const kept = { _id: 'kept', text: 'old' }
      expect(await all(one)).toEqual([{ _id: 'a' }, { _id: 'b', time: 1 }, kept, { _id: 'put', text: 'old', more: 1 }])
      expect(await all(two)).toEqual([
        { _id: 'gone' },
        kept,
        { _id: 'new' },
        { _id: 'put', text: 'new' },
        { _id: 'swap', generation: 2 },
      ])
      const swapped = { _id: 'swap', generation: 1 }
      expect(await all(three)).toEqual([{ _id: 'a' }, { _id: 'gone' }, kept, { _id: 'put' }, swapped])
      expect((await store.get(three, ['swap', 'put'])).get('swap')).toEqual(swapped)
    })

    test('given nothing to write, then nothing happens', async () => {
      await given([{ _id: 'a' }])
      await store.commit([])
      await store.commit([{ collection: one }, { collection: two, insert: [], put: [], remove: [], swap: [] }])
      expect(await all()).toEqual([{ _id: 'a' }])
    })

    const late: [string, Omit<Write, 'collection'>][] = [
      ['an id to insert that is there', { insert: [{ _id: 'other' }, { _id: 'there', text: 'mine' }] }],
      [
        'an old generation',
        {
          swap: [
            { _id: 'other', generation: 1 },
            { _id: 'third', generation: 3 },
          ],
        },
      ],
      ['a generation too far', { swap: [{ _id: 'third', generation: 5 }] }],
      ['a first generation of what is there', { swap: [{ _id: 'third', generation: 1 }] }],
      ['a next generation of what is missing', { swap: [{ _id: 'none', generation: 2 }] }],
      ['a generation of what has none', { swap: [{ _id: 'there', generation: 2 }] }],
      ['a first generation of what has none', { swap: [{ _id: 'there', generation: 1 }] }],
      [
        'a document of another stream',
        {
          own: [
            { _id: 'other', _stream: 's' },
            { _id: 'theirs', _stream: 's' },
          ],
        },
      ],
      ['a removal from another stream', { disown: [{ _id: 'theirs', _stream: 's' }] }],
      ['a removal of what is missing', { disown: [{ _id: 'none', _stream: 's' }] }],
      ['an old generation behind a put', { put: [{ _id: 'there' }], swap: [{ _id: 'third', generation: 2 }] }],
    ]

    test.each(late)(
      'given %s in any of its writes, then it is a conflict, and nothing is written',
      async (_, conflict) => {
        const before: Document[] = [
          { _id: 'gone' },
          { _id: 'theirs', _stream: 't' },
          { _id: 'there' },
          { _id: 'third', generation: 3 },
        ]
        await given(before)
        const valid: Omit<Write, 'collection'> = {
          insert: [{ _id: 'new' }],
          put: [{ _id: 'there', text: 'mine' }, { _id: 'put' }],
          remove: ['gone'],
          swap: [
            { _id: 'third', generation: 4 },
            { _id: 'first', generation: 1 },
          ],
          own: [{ _id: 'owned', _stream: 's' }],
        }
        for (const writes of [
          [valid, valid, conflict],
          [valid, conflict, valid],
          [conflict, valid, valid],
        ]) {
          const collections = [one, two, three]
          const commit = store.commit(
            writes.map((write, at) => ({ ...write, collection: collections[at] as typeof one })),
          )
          await expect(commit).rejects.toBeInstanceOf(Conflict)
          for (const collection of collections) expect(await all(collection)).toEqual(before)
        }
        await store.commit([one, two, three].map((collection) => ({ ...valid, collection })))
        expect(idsOf(await all(three))).toEqual(['first', 'new', 'owned', 'put', 'theirs', 'there', 'third'])
      },
    )

    test('given generations one behind the other, then each replaces the whole document before', async () => {
      await given()
      await store.commit([{ collection: one, swap: [{ _id: 'a', generation: 1, first: true }] }])
      await store.commit([{ collection: one, swap: [{ _id: 'a', generation: 2, second: true }] }])
      expect(await all()).toStrictEqual([{ _id: 'a', generation: 2, second: true }])
      await store.commit([{ collection: one, remove: ['a'] }])
      await expect(store.commit([{ collection: one, swap: [{ _id: 'a', generation: 3 }] }])).rejects.toThrow(Conflict)
      await store.commit([{ collection: one, swap: [{ _id: 'a', generation: 1 }] }])
      expect(await all()).toStrictEqual([{ _id: 'a', generation: 1 }])
    })

    test('given documents of a stream, of none and missing ones, then the stream writes and removes them', async () => {
      const mine = { _id: 'mine', _stream: 's' }
      await given([
        mine,
        { _id: 'nobodys', old: true },
        { _id: 'old' },
        { _id: 'gone', _stream: 's' },
        { _id: 'removed' },
      ])
      const own = ['mine', 'nobodys', 'new'].map((_id) => ({ _id, _stream: 's', text: 'mine' }))
      const disown = ['old', 'gone'].map((_id) => ({ _id, _stream: 's' }))
      await store.commit([{ collection: one, own, disown, remove: ['removed', 'none'] }])
      expect(await all()).toStrictEqual([...own].sort((a, b) => (a._id < b._id ? -1 : 1)))
      await store.commit([{ collection: one, own: [{ ...mine, again: true }], disown: [{ _id: 'new', _stream: 's' }] }])
      expect(await all()).toMatchObject([{ _id: 'mine', again: true }, { _id: 'nobodys' }])
      await store.commit([{ collection: one, disown: [mine] }])
      await store.commit([{ collection: one, own: [{ ...mine, _stream: 't' }] }])
      expect((await all())[0]).toStrictEqual({ _id: 'mine', _stream: 't' })
    })

    test.each([
      ['a missing document', []],
      ['a document of no stream', [{ _id: 'shared' }]],
    ])('given twenty streams that write %s at once, then exactly one has it', async (_, before) => {
      await given(before)
      const ends = await Promise.allSettled(
        Array.from({ length: 20 }, (_, by) =>
          store.commit([
            { collection: two, insert: [{ _id: `by-${by}` }] },
            { collection: one, own: [{ _id: 'shared', _stream: `s-${by}` }] },
          ]),
        ),
      )
      const winners = [...ends.keys()].filter((by) => ends[by]?.status === 'fulfilled')
      expect(winners).toHaveLength(1)
      for (const end of ends) if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(Conflict)
      expect(await all()).toEqual([{ _id: 'shared', _stream: `s-${winners[0]}` }])
      expect(idsOf(await all(two)).filter((id) => id.startsWith('by-'))).toEqual([`by-${winners[0]}`])
    })

    test('given twenty who swap the same document at once, then exactly one wins, and the others leave nothing', async () => {
      await given([{ _id: 'total', generation: 7 }])
      const ends = await Promise.allSettled(
        Array.from({ length: 20 }, (_, by) =>
          store.commit([
            { collection: two, insert: [{ _id: `by-${by}` }] },
            { collection: one, swap: [{ _id: 'total', generation: 8, by }] },
          ]),
        ),
      )
      const winners = [...ends.keys()].filter((by) => ends[by]?.status === 'fulfilled')
      expect(winners).toHaveLength(1)
      for (const end of ends) if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(Conflict)
      expect(await all()).toEqual([{ _id: 'total', generation: 8, by: winners[0] }])
      expect(idsOf(await all(two))).toEqual([`by-${winners[0]}`, 'total'])
    })

    test('given twenty who add at once, and again where another was first, then the sum is exact', async () => {
      await given()
      const ledger = newLedger()
      await store.prepare([ledger.totals, ledger.entries])
      const won = await Promise.all(
        Array.from({ length: 20 }, async () => [await add(store, ledger), await add(store, ledger)]),
      )
      expect(won.flat().toSorted((a, b) => a - b)).toEqual(upTo(40))
      await expectWhole(store, ledger, 40)
    })

    test('given zombies that insert the same ids, each in an order of its own, then exactly one of them has all', async () => {
      await given()
      const ids = ['a', 'b', 'c', 'd', 'e']
      const ends = await Promise.allSettled(
        Array.from({ length: 15 }, (_, by) => {
          const turned = [...ids.slice(by % 5), ...ids.slice(0, by % 5)].map((_id) => ({ _id, by }))
          const writes = [one, two].map((collection) => ({ collection, insert: turned }))
          return store.commit(by % 2 ? writes : writes.toReversed())
        }),
      )
      const winners = [...ends.keys()].filter((by) => ends[by]?.status === 'fulfilled')
      // All may have met another, and then none is there; whoever comes next has it.
      expect(winners.length).toBeLessThanOrEqual(1)
      for (const end of ends) if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(Conflict)
      const last = ids.map((_id) => ({ _id, by: winners[0] ?? -1 }))
      if (winners.length === 0) await store.commit([one, two].map((collection) => ({ collection, insert: last })))
      for (const collection of [one, two]) expect(await all(collection)).toEqual(last)
    })

    test('given two who write different documents of one collection at once, then neither is in the way of the other', async () => {
      await given()
      const commits = Array.from({ length: 20 }, (_, by) =>
        store.commit([
          { collection: one, swap: [{ _id: `total-${by}`, generation: 1 }] },
          { collection: two, insert: [{ _id: `entry-${by}` }] },
        ]),
      )
      await Promise.all(commits)
      expect([await all(), await all(two)].map(({ length }) => length)).toEqual([20, 20])
    })

    test.each([undefined, 3600])(
      'given JSON values, then they come back unchanged (expires after: %s)',
      async (expireAfter) => {
        await given([], expireAfter === undefined ? {} : { expireAfter })
        const fields: Fields = {
          text: 'Grüße 😀 \u0000',
          nested: { 'a.b': [{ $set: [[], {}] }, null, 1 / 3], $ref: 'a' },
          'c.d': Number.MAX_SAFE_INTEGER,
          '': false,
        }
        const document = (_id: string) => Object.freeze({ _id, generation: 1, ...fields })
        const write = { insert: [document('a')], put: [document('b')], swap: [document('c')] }
        await store.commit([{ collection: one, ...write }])
        expect(await all()).toStrictEqual(['a', 'b', 'c'].map(document))
        const next = { put: [document('b')], swap: [{ ...document('c'), generation: 2 }] }
        await store.commit([{ collection: one, ...next }])
        expect(await all()).toStrictEqual([document('a'), document('b'), { ...document('c'), generation: 2 }])
      },
    )

    test.each(UNSTORABLE)(
      'given a document that can not be stored (%s), then it is refused, and nothing is written',
      async (_, value) => {
        await given([{ _id: 'old', generation: 1 }])
        const bad = (_id: string) => ({ _id, generation: 2, value: value() })
        for (const write of [{ insert: [bad('bad')] }, { put: [bad('bad')] }, { swap: [bad('old')] }]) {
          const commit = store.commit([
            { collection: one, insert: [{ _id: 'new' }] },
            { collection: two, ...write },
          ])
          await expect(commit).rejects.toBeInstanceOf(Refused)
          expect(idsOf([...(await all()), ...(await all(two))])).toEqual(['old', 'old'])
        }
        await store.commit([{ collection: one, insert: [{ _id: 'new' }] }])
      },
    )

    test('given a watch that waits, then it has what a commit inserts, and not what it replaces', async () => {
      await given([
        { _id: 'replaced', generation: 1 },
        { _id: 'swapped', generation: 1 },
      ])
      const { inserts, stop } = await watching()
      const next = inserts.next()
      await store.commit([
        {
          collection: one,
          put: [{ _id: 'replaced' }, { _id: 'put' }],
          swap: [
            { _id: 'swapped', generation: 2 },
            { _id: 'first', generation: 1 },
          ],
          insert: [{ _id: 'inserted' }],
        },
      ])
      await expect(
        store.commit([
          { collection: one, insert: [{ _id: 'lost' }] },
          { collection: two, swap: [{ _id: 'none', generation: 2 }] },
        ]),
      ).rejects.toBeInstanceOf(Conflict)
      await store.commit([{ collection: one, insert: [{ _id: 'last' }] }])
      const seen = [(await next).value.document._id]
      while (seen.at(-1) !== 'last') seen.push((await inserts.next()).value.document._id)
      expect(seen.slice(0, -1).toSorted()).toEqual(['first', 'inserted', 'put'])
      await stop()
    })

    test('given commits, some at once, then a watch has what they insert in its order, and goes on from within one', async () => {
      await given()
      const { inserts, stop } = await watching()
      const ids = (commit: string) => Array.from({ length: 20 }, (_, at) => `${commit}-${at}`)
      const commit = (name: string) =>
        store.commit([
          { collection: one, insert: ids(name).map((_id) => ({ _id })), put: [{ _id: `put-${name}` }] },
          { collection: two, insert: ids(name).map((_id) => ({ _id })) },
        ])
      await commit('first')
      await Promise.all(['a', 'b', 'c'].map(commit))
      await store.insert(one, [{ _id: 'between' }])
      await commit('last')
      const seen: Inserted[] = []
      while (seen.length < 5 * 21 + 1) seen.push((await inserts.next()).value)
      await stop()
      const told = idsOf(seen.map(({ document }) => document))
      const from = (name: string) => told.filter((id) => id.startsWith(`${name}-`))
      for (const name of ['first', 'a', 'b', 'c', 'last']) expect(from(name)).toEqual(ids(name))
      expect(told.slice(0, 21).toSorted()).toEqual([...ids('first'), 'put-first'].toSorted())
      expect(told.indexOf('between')).toBe(4 * 21)
      for (const at of [told.indexOf('first-7'), told.indexOf('b-19'), told.indexOf('last-3')]) {
        const again = await watching(seen[at]?.resume)
        for (const id of told.slice(at + 1)) expect((await again.inserts.next()).value.document._id).toBe(id)
        await again.stop()
      }
    })

    test('given 2,000 documents, then one commit takes them all, and none where the last is in the way', async () => {
      await given()
      const documents = (from: number, count: number, more: Fields = {}) =>
        Array.from({ length: count }, (_, at) => ({ _id: `id-${from + at}`, generation: 1, ...more }))
      await store.commit([
        { collection: one, insert: documents(0, 1000), put: documents(1000, 500), swap: documents(1500, 500) },
      ])
      expect(await all()).toHaveLength(2000)
      const next: Write = {
        collection: one,
        remove: idsOf(documents(0, 1000)),
        put: documents(1000, 500, { again: true }),
        swap: documents(1500, 500).map((document) => ({ ...document, generation: 2 })),
      }
      await expect(
        store.commit([next, { collection: two, insert: [...documents(0, 1999), { _id: 'id-0' }] }]),
      ).rejects.toBeInstanceOf(Conflict)
      expect([(await all()).filter(({ generation }) => generation === 1).length, (await all(two)).length]).toEqual([
        2000, 0,
      ])
      await store.commit([next])
      const found = await all()
      expect(found).toHaveLength(1000)
      expect(found.filter(({ again, generation }) => again || generation === 2)).toHaveLength(1000)
    })

    test('given a store that was closed, then a commit is refused as an outage, and works when it is opened again', async () => {
      await given([{ _id: 'a' }])
      await store.close()
      const writes = [{ collection: one, insert: [{ _id: 'b' }] }]
      await expect(store.commit(writes)).rejects.toBeInstanceOf(Unavailable)
      store = ground.open()
      await store.prepare([one])
      await store.commit(writes)
      expect(idsOf(await all())).toEqual(['a', 'b'])
    })
  })
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, at) => at + 1)

/** What was acknowledged is there, nothing is there in part, and nothing twice. */
export async function expectWhole(store: Store, ledger: Ledger, acknowledged: number): Promise<void> {
  const { total, numbers } = await readLedger(store, ledger)
  expect(numbers).toEqual(upTo(total))
  expect(total).toBeGreaterThanOrEqual(acknowledged)
}
