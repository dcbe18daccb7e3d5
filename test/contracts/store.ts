import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  type Find,
  type Inserted,
  Refused,
  ResumeLost,
  type Store,
  type StoredCollection,
  type WatchOptions,
} from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document, Fields, Json } from '#domains/domain.ts'
import { UNSTORABLE } from './unstorable.ts'

/** Somewhere to keep documents. `open` makes a store on it, also after an earlier one was closed. */
export interface Ground {
  open(): Store
  remove(): Promise<void>
}

export const idsOf = (documents: Document[]): string[] => documents.map(({ _id }) => _id)

/** A collection of its own, so that tests don't see each other. */
export const newCollection = (): StoredCollection => ({
  name: `contract-${randomUUID()}`,
  indexes: { time: { fields: ['time'] }, topic: { fields: ['topic', 'time'] } },
})

/** What every adapter of the store port must do. */
export function storeContract(name: string, makeGround: () => Promise<Ground>): void {
  let ground: Ground
  let store: Store
  let collection: StoredCollection
  const closing: (() => Promise<void>)[] = []

  beforeAll(async () => {
    ground = await makeGround()
  })

  afterAll(() => ground?.remove())

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  function open(): Store {
    const opened = ground.open()
    closing.push(() => opened.close())
    return opened
  }

  async function givenCollection(more: Partial<StoredCollection> = {}): Promise<void> {
    store = open()
    collection = { ...newCollection(), ...more }
    await store.prepare([collection])
  }

  const kept = async (...ids: string[]) => [...(await store.get(collection, ids)).values()]

  /** Every document by pages, and between them what others do. */
  async function pages(query: Find, between: () => Promise<unknown> = async () => {}): Promise<Document[]> {
    const found: Document[] = []
    for (;;) {
      const after = found.at(-1)
      const page = await store.find(collection, { ...query, ...(after ? { after } : {}) })
      expect(page.length).toBeLessThanOrEqual(query.limit)
      found.push(...page)
      if (page.length === 0 || found.length > 1000) return found
      await between()
    }
  }

  function watch(resume?: string, more: Partial<WatchOptions> = {}) {
    const stopping = new AbortController()
    const given = { signal: stopping.signal, ...(resume === undefined ? {} : { resume }), ...more }
    const stream = store.watch(collection, given)
    const inserts = stream[Symbol.asyncIterator]()
    const stop = async () => {
      stopping.abort()
      await inserts.return?.()
    }
    closing.push(stop)
    return { inserts, abort: () => stopping.abort(), stop }
  }

  async function take(inserts: AsyncIterator<Inserted>, count: number): Promise<Inserted[]> {
    const taken: Inserted[] = []
    while (taken.length < count) {
      const next = await inserts.next()
      if (next.done) break
      taken.push(next.value)
    }
    return taken
  }

  /** Resolves once the watch has begun, and gives its newest document. */
  async function begun(inserts: AsyncIterator<Inserted>): Promise<Inserted> {
    let first: Inserted | undefined
    const next = inserts.next().then(({ value }) => (first = value))
    let marks = 0
    while (!first) {
      await store.insert(collection, [{ _id: `mark-${marks++}` }])
      await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 20))])
    }
    const last = `mark-${marks - 1}`
    while (first.document._id !== last) [first] = (await take(inserts, 1)) as [Inserted]
    return first
  }

  describe(`store contract: ${name}`, () => {
    test('given existing collections, then preparing them again changes nothing and adds new ones', async () => {
      await givenCollection()
      await store.insert(collection, [{ _id: 'a', time: 1, size: 2 }])
      await Promise.all([store.prepare([collection]), store.prepare([collection])])
      collection = { ...collection, indexes: { ...collection.indexes, size: { fields: ['size'] } } }
      await store.prepare([collection])
      expect(await store.find(collection, { index: 'size', limit: 9 })).toEqual([{ _id: 'a', time: 1, size: 2 }])
    })

    test('given old and new documents in one insert, then it returns the ids of the old ones, which are unchanged', async () => {
      await givenCollection()
      expect(await store.insert(collection, [{ _id: 'a', text: 'first' }])).toEqual(new Set())
      const again = [
        { _id: 'b', text: 'new' },
        { _id: 'a', text: 'second' },
        { _id: 'c', text: 'new' },
      ]
      expect(await store.insert(collection, again)).toEqual(new Set(['a']))
      expect(await store.insert(collection, again)).toEqual(new Set(['a', 'b', 'c']))
      const found = await store.get(collection, ['a', 'b', 'c'])
      expect(found.get('a')).toEqual({ _id: 'a', text: 'first' })
      expect(found.get('b')).toEqual({ _id: 'b', text: 'new' })
      expect(found.size).toBe(3)
    })

    test('given one id twice in one insert, then the first document is stored, and the id is returned', async () => {
      await givenCollection()
      const twice = [
        { _id: 'a', text: 'first' },
        { _id: 'a', text: 'second' },
        { _id: 'b', text: 'other' },
      ]
      expect(await store.insert(collection, twice)).toEqual(new Set(['a']))
      expect(await kept('a')).toEqual([{ _id: 'a', text: 'first' }])
      expect(await kept('b')).toHaveLength(1)
    })

    test('given concurrent inserts of the same documents, then each is inserted by exactly one', async () => {
      await givenCollection()
      const ids = Array.from({ length: 40 }, (_, number) => `id-${number}`)
      const callers = Array.from({ length: 12 }, (_, caller) =>
        store.insert(
          collection,
          ids.map((_id) => ({ _id, caller })),
        ),
      )
      const present = await Promise.all(callers)
      for (const document of await kept(...ids)) {
        const winners = [...present.keys()].filter((caller) => !present[caller]?.has(document._id))
        expect(winners).toEqual([document.caller])
      }
      expect(await kept(...ids)).toHaveLength(ids.length)
    })

    test('given documents, then inserting them does not change the objects', async () => {
      await givenCollection({ expireAfter: 3600 })
      const document = Object.freeze({ _id: 'a', list: Object.freeze([1, 2]) as Json })
      await store.insert(collection, [document])
      expect(document).toEqual({ _id: 'a', list: [1, 2] })
    })

    test('given no documents or ids, then nothing happens', async () => {
      await givenCollection()
      expect(await store.insert(collection, [])).toEqual(new Set())
      expect(await store.get(collection, [])).toEqual(new Map())
      await store.remove(collection, [])
    })

    test('given ids, then get returns the existing documents, once each', async () => {
      await givenCollection()
      const ids = ['a', 'ä', '😀', 'a/b', 'with "quotes"', "it's", '$x', '1', 'a\u0000b']
      await store.insert(
        collection,
        ids.map((_id) => ({ _id, said: _id })),
      )
      const found = await store.get(collection, [...ids, 'none', 'a'])
      expect(found).toEqual(new Map(ids.map((_id) => [_id, { _id, said: _id }])))
    })

    test.each<[string, Fields]>([
      ['nested', { a: { b: [{ c: [[], {}] }, null, 'x'] }, empty: {}, none: [] }],
      ['text', { text: 'Grüße, 世界 😀 \u0000 \u2028 \n " \\', '': 'no name', 'ключ 😀': 'name' }],
      ['null and booleans', { nothing: null, yes: true, no: false, list: [null, true, false] }],
      ['whole numbers', { max: Number.MAX_SAFE_INTEGER, min: Number.MIN_SAFE_INTEGER, int: 2 ** 31, zero: 0 }],
      ['other numbers', { third: 1 / 3, huge: Number.MAX_VALUE, tiny: Number.MIN_VALUE, large: 2 ** 60 }],
      ['names with dots and dollars', { 'a.b': 1, '.': 2, in: { 'c.d': 3, $set: 4, $: 5, e$f: 6 } }],
      ['dollars at the top', { $set: { a: 1 }, $x: 1 }],
      ['names that mean something elsewhere', { $ref: 'a', in: { $ref: '#/a', $oid: '1', toJSON: 1, toBSON: 2 } }],
      ['text that looks like something else', { date: '2026-01-01T00:00:00Z', number: '1', id: '0'.repeat(24) }],
    ])('given JSON values (%s), then get, find and watch give them back unchanged', async (_, fields) => {
      await givenCollection()
      const { inserts } = watch()
      await begun(inserts)
      const document = { _id: 'a', topic: 'values', time: 1, ...fields }
      await store.insert(collection, [document])
      expect(await kept('a')).toStrictEqual([document])
      expect(await store.find(collection, { index: 'topic', where: { topic: 'values' }, limit: 2 })).toStrictEqual([
        document,
      ])
      expect((await take(inserts, 1))[0]?.document).toStrictEqual(document)
    })

    test.each(UNSTORABLE)(
      'given a document that can not be stored (%s), then it is refused alone',
      async (_, value) => {
        await givenCollection()
        await store.insert(collection, [{ _id: 'old' }])
        const { inserts } = watch()
        await begun(inserts)
        const documents = [{ _id: 'a' }, { _id: 'bad', value: value() }, { _id: 'old', other: 1 }, { _id: 'b' }]
        const error = await store.insert(collection, documents).then(
          () => expect.fail('nothing was refused'),
          (error) => error,
        )
        expect(error).toBeInstanceOf(Refused)
        expect([...error.reasons.keys()]).toEqual(['bad'])
        expect(await kept('a', 'b', 'bad', 'old')).toHaveLength(3)
        expect((await store.get(collection, ['old'])).get('old')).toEqual({ _id: 'old' })
        expect(idsOf((await take(inserts, 2)).map(({ document }) => document)).toSorted()).toEqual(['a', 'b'])
        await expect(store.insert(collection, [{ _id: 'bad', value: value() }])).rejects.toBeInstanceOf(Refused)
      },
    )

    test('given a field name that objects inherit, then it is stored like any other', async () => {
      await givenCollection()
      const text = '{"_id":"a","in":{"__proto__":{"admin":true},"constructor":1}}'
      await store.insert(collection, [JSON.parse(text)])
      expect(JSON.stringify((await kept('a'))[0])).toBe(text)
    })

    test('given a collection that expires, then a read returns the document alone', async () => {
      await givenCollection({ expireAfter: 3600 })
      const { inserts } = watch()
      await begun(inserts)
      const document = { _id: 'a', topic: 'x', time: 1 }
      await store.insert(collection, [document])
      expect(await kept('a')).toStrictEqual([document])
      expect(await store.find(collection, { index: 'topic', where: { topic: 'x' }, limit: 1 })).toStrictEqual([
        document,
      ])
      expect((await take(inserts, 1))[0]?.document).toStrictEqual(document)
    })

    test.each([false, true])(
      'given equal keys, then pages have no gap and no duplicate (newest first: %s)',
      async (newestFirst) => {
        await givenCollection()
        const documents = Array.from({ length: 60 }, (_, number) => ({
          _id: `id-${(number * 37) % 60}`,
          time: number % 4,
        }))
        await store.insert(collection, documents)
        const inOrder = documents.toSorted((a, b) => a.time - b.time || (a._id < b._id ? -1 : 1))
        for (const limit of [1, 7, 60]) {
          const found = await pages({ index: 'time', newestFirst, limit })
          expect(idsOf(found)).toEqual(idsOf(newestFirst ? inOrder.toReversed() : inOrder))
        }
      },
    )

    test.each([false, true])(
      'given inserts between pages, then every earlier document is found once, and none twice (newest first: %s)',
      async (newestFirst) => {
        await givenCollection()
        const old = Array.from({ length: 50 }, (_, number) => ({ _id: `old-${number}`, time: number % 5 }))
        await store.insert(collection, old)
        let count = 0
        const others = () =>
          store.insert(
            collection,
            [-1, 0, 1, 2, 3, 4, 9].map((time) => ({ _id: `new-${count++}`, time })).slice(count > 90 ? 7 : 0),
          )
        const found = await pages({ index: 'time', newestFirst, limit: 6 }, others)
        const ids = idsOf(found)
        expect(new Set(ids).size).toBe(ids.length)
        expect(ids.filter((id) => id.startsWith('old-')).toSorted()).toEqual(idsOf(old).toSorted())
        expect(ids.some((id) => id.startsWith('new-'))).toBe(true)
      },
    )

    test.each([false, true])(
      'given documents without the field, then pages have them as the lowest (newest first: %s)',
      async (newestFirst) => {
        await givenCollection()
        const documents: Document[] = [
          ...['a', 'b', 'c'].map((_id) => ({ _id })),
          ...['d', 'e'].map((_id) => ({ _id, topic: 'x' })),
          ...['f', 'g'].map((_id) => ({ _id, topic: 'x', time: 1 })),
          ...['h', 'i'].map((_id) => ({ _id, topic: 'y', time: null })),
          ...['j', 'k'].map((_id) => ({ _id, topic: 'y', time: 2 })),
        ]
        await store.insert(collection, documents)
        const ids = idsOf(documents)
        for (const limit of [1, 2, 3, 20]) {
          const found = await pages({ index: 'topic', newestFirst, limit })
          expect(idsOf(found)).toEqual(newestFirst ? ids.toReversed() : ids)
        }
      },
    )

    test('given text keys, then their order is that of their UTF-8 bytes, on every adapter', async () => {
      await givenCollection()
      const texts = ['', '10', '9', 'B', 'a', 'aa', 'ä', '世', '\uffee', '😀']
      await store.insert(
        collection,
        texts.toReversed().map((time) => ({ _id: time || 'none', time })),
      )
      const found = await pages({ index: 'time', limit: 3 })
      expect(found.map(({ time }) => time)).toEqual(texts)
    })

    test('given where on a prefix of the index, then only equal documents are found, also over pages', async () => {
      await givenCollection()
      const documents = Array.from({ length: 40 }, (_, number) => ({
        _id: `id-${String(number).padStart(2, '0')}`,
        topic: number % 2 ? 'odd' : 'even',
        time: number % 4,
      }))
      await store.insert(collection, [...documents, { _id: 'none', time: 1 }, { _id: 'null', topic: null, time: 1 }])
      const odd = { index: 'topic', where: { topic: 'odd' } }
      const wanted = documents.filter(({ topic }) => topic === 'odd').toSorted((a, b) => a.time - b.time)
      expect(idsOf(await pages({ ...odd, limit: 3 }))).toEqual(idsOf(wanted))
      expect(idsOf(await pages({ ...odd, limit: 3, newestFirst: true }))).toEqual(idsOf(wanted.toReversed()))
      const both = await pages({ index: 'topic', where: { topic: 'odd', time: 3 }, limit: 4 })
      expect(idsOf(both)).toEqual(idsOf(wanted.filter(({ time }) => time === 3)))
      expect(await pages({ index: 'topic', where: { topic: 'nothing' }, limit: 3 })).toEqual([])
      expect(idsOf(await pages({ index: 'topic', where: { topic: null }, limit: 3 }))).toEqual(['none', 'null'])
    })

    test('given an object as a value of where, then it is refused, not taken for an operator', async () => {
      await givenCollection()
      await store.insert(collection, [{ _id: 'a', topic: 'x', time: 1 }])
      const found = store.find(collection, { index: 'topic', where: { topic: { $ne: 'y' } }, limit: 3 })
      await expect(found).rejects.toThrow('compares scalars only')
    })

    test('given an index that is not declared, then find is an error that names it', async () => {
      await givenCollection()
      const found = store.find(collection, { index: 'other', limit: 3 })
      await expect(found).rejects.toThrow(`collection ${collection.name} has no index other`)
    })

    test('given ids to remove, then only those documents are removed, and they can be inserted again', async () => {
      await givenCollection()
      await store.insert(
        collection,
        ['a', 'b', 'c'].map((_id) => ({ _id, time: 1 })),
      )
      await store.remove(collection, ['a', 'c', 'none'])
      expect(idsOf(await store.find(collection, { index: 'time', limit: 9 }))).toEqual(['b'])
      expect(await store.insert(collection, [{ _id: 'a' }, { _id: 'b' }])).toEqual(new Set(['b']))
    })

    test('given a watch from now, then it has every later insert once, in order, and no earlier one', async () => {
      await givenCollection()
      await store.insert(collection, [{ _id: 'before' }])
      const { inserts } = watch()
      const { document } = await begun(inserts)
      expect(document._id).toMatch(/^mark-/)
      for (let number = 0; number < 10; number++) {
        await store.insert(collection, [{ _id: `id-${number}` }, { _id: 'before' }])
      }
      const ids = idsOf((await take(inserts, 10)).map(({ document }) => document))
      expect(ids).toEqual(Array.from({ length: 10 }, (_, number) => `id-${number}`))
      for (let time = 0; time < 2; time++) await store.commit([{ collection, put: [{ _id: 'counted', time }] }])
      await store.remove(collection, ['id-0'])
      await store.insert(collection, [{ _id: 'last' }])
      expect(idsOf((await take(inserts, 2)).map(({ document }) => document))).toEqual(['counted', 'last'])
    })

    test('given many concurrent inserts, then every watch has all of them in the same order', async () => {
      await givenCollection()
      const [one, other] = [watch().inserts, watch().inserts]
      await begun(one)
      await begun(other)
      const ids = Array.from({ length: 40 }, (_, batch) => Array.from({ length: 20 }, (_, at) => `id-${batch}-${at}`))
      await Promise.all(
        ids.map((batch) =>
          store.insert(
            collection,
            batch.map((_id) => ({ _id })),
          ),
        ),
      )
      const told = async (inserts: AsyncIterator<Inserted>) => {
        const found: string[] = []
        while (found.length < 800) {
          const [next] = (await take(inserts, 1)) as [Inserted]
          if (next.document._id.startsWith('id-')) found.push(next.document._id)
        }
        return found
      }
      const found = await told(one)
      expect(found.toSorted()).toEqual(ids.flat().toSorted())
      expect(await told(other)).toEqual(found)
    })

    test('given a resume token, then a watch of a reopened store has all later inserts', async () => {
      await givenCollection()
      const { inserts, stop } = watch()
      await begun(inserts)
      await store.insert(collection, [{ _id: 'a' }, { _id: 'b' }])
      const [a] = (await take(inserts, 2)) as [Inserted]
      await store.insert(collection, [{ _id: 'c' }])
      await stop()
      await store.insert(collection, [{ _id: 'd' }])
      await store.close()
      store = open()
      await store.prepare([collection])
      await store.insert(collection, [{ _id: 'e' }])
      const again = watch(a.resume).inserts
      const followed = await take(again, 4)
      expect(idsOf(followed.map(({ document }) => document))).toEqual(['b', 'c', 'd', 'e'])
      await store.insert(collection, [{ _id: 'f' }])
      expect((await take(again, 1))[0]?.document).toEqual({ _id: 'f' })
      const behind = watch(followed[2]?.resume).inserts
      expect(idsOf((await take(behind, 2)).map(({ document }) => document))).toEqual(['e', 'f'])
    })

    test('given the resume token of a begun watch, then a watch from there has all inserts that the first one did not wait for', async () => {
      await givenCollection()
      await store.insert(collection, [{ _id: 'before' }])
      const stopping = new AbortController()
      const place = await new Promise<string>((resolve, reject) => {
        const stream = store.watch(collection, { signal: stopping.signal, onBegun: resolve })
        stream[Symbol.asyncIterator]().next().catch(reject)
      })
      stopping.abort()
      await store.insert(collection, [{ _id: 'a' }])
      await store.insert(collection, [{ _id: 'b' }])
      const found = await take(watch(place).inserts, 2)
      expect(idsOf(found.map(({ document }) => document))).toEqual(['a', 'b'])
    })

    test('given a resume token whose document was removed, then a watch continues after it', async () => {
      await givenCollection()
      const { inserts } = watch()
      const { document, resume } = await begun(inserts)
      await store.remove(collection, [document._id])
      await store.insert(collection, [{ _id: 'next' }])
      const [next] = (await take(watch(resume).inserts, 1)) as [Inserted]
      expect(next.document._id).toBe('next')
      await store.remove(collection, ['next'])
      const waiting = watch(next.resume).inserts.next()
      const soon = new Promise((resolve) => setTimeout(resolve, 50, 'waits'))
      expect(await Promise.race([waiting, soon])).toBe('waits')
      await store.insert(collection, [{ _id: 'last' }])
      expect((await waiting).value.document._id).toBe('last')
    })

    test('given a waiting watch, then the first put of a document is an insert too, and wakes it', async () => {
      await givenCollection()
      const { inserts } = watch()
      await begun(inserts)
      const next = inserts.next()
      await store.commit([{ collection, put: [{ _id: 'counted' }] }])
      expect((await next).value.document._id).toBe('counted')
    })

    test('given a watch until now, then it has all inserts after its token, and ends', async () => {
      await givenCollection()
      const { inserts } = watch()
      const { resume } = await begun(inserts)
      const documents = Array.from({ length: 1200 }, (_, number) => ({ _id: `id-${number}` }))
      await store.insert(collection, documents)
      const found = await take(watch(resume, { untilNow: true }).inserts, 9999)
      expect(idsOf(found.map(({ document }) => document)).toSorted()).toEqual(idsOf(documents).toSorted())
      const last = found.at(-1)?.resume ?? ''
      const { inserts: more } = watch(last, { untilNow: true })
      expect(await more.next()).toMatchObject({ done: true })
      await store.insert(collection, [{ _id: 'later' }])
      const [later] = await take(watch(last, { untilNow: true }).inserts, 9)
      expect(later?.document).toEqual({ _id: 'later' })
      expect(await take(watch(undefined, { untilNow: true }).inserts, 9)).toEqual([])
    })

    const NO_PLACES = ['rubbish', '-1', '999999999', '', '\ufffd', 'null', 'true', '[]', '"a"', '{}', '{"_data":null}']
    test.each([...NO_PLACES, '{"_data":7}', '{"_data":""}', '{"_data":"zz"}'])(
      'given %j as the resume token, then the watch throws ResumeLost',
      async (resume) => {
        await givenCollection()
        await expect(watch(resume, { untilNow: true }).inserts.next()).rejects.toBeInstanceOf(ResumeLost)
        await expect(watch(resume).inserts.next()).rejects.toBeInstanceOf(ResumeLost)
      },
    )

    test('given a waiting watch, then it ends at once when its signal aborts', async () => {
      await givenCollection()
      const { inserts, abort } = watch()
      await begun(inserts)
      const next = inserts.next()
      abort()
      expect(await next).toMatchObject({ done: true })
      const stopped = watch()
      stopped.abort()
      expect(await stopped.inserts.next()).toMatchObject({ done: true })
    })

    test('given a working store, then a ping succeeds', async () => {
      await givenCollection()
      await store.ping()
    })

    test('given a closed store, then every call is refused, and its documents are there when it is opened again', async () => {
      await givenCollection()
      await store.insert(collection, [{ _id: 'a', time: 1 }])
      await store.close()
      const calls: (() => Promise<unknown>)[] = [
        () => store.prepare([collection]),
        () => store.insert(collection, [{ _id: 'b' }]),
        () => store.get(collection, ['a']),
        () => store.find(collection, { index: 'time', limit: 1 }),
        () => store.remove(collection, ['a']),
        () => watch().inserts.next(),
        () => store.ping(),
      ]
      for (const call of calls) await expect(call(), String(call)).rejects.toBeInstanceOf(Unavailable)
      store = open()
      await store.prepare([collection])
      expect(await kept('a', 'b')).toEqual([{ _id: 'a', time: 1 }])
    })
  })
}
