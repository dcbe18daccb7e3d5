import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Count, type Find, type Range, type Store, type StoredCollection, TooManyGroups } from '#core/store.ts'
import type { Document, Fields, Index } from '#domains/domain.ts'
import { type Ground, idsOf, newCollection } from './store.ts'

/** What every adapter's `find` and `count` must do with ranges, lists and groups. */
export function indexContract(name: string, makeGround: () => Promise<Ground>): void {
  describe(`store contract: ${name}: indexes`, () => {
    let ground: Ground
    let store: Store
    let collection: StoredCollection

    beforeAll(async () => {
      ground = await makeGround()
    })

    afterAll(() => ground?.remove())

    afterEach(() => store.close())

    async function given(indexes: { [name: string]: Index }, documents: Document[] = []): Promise<void> {
      store = ground.open()
      collection = { ...newCollection(), indexes }
      await store.prepare([collection])
      await store.insert(collection, documents)
    }

    const found = async (query: Omit<Find, 'limit'>) => idsOf(await store.find(collection, { limit: 1000, ...query }))

    async function pages(query: Find): Promise<string[]> {
      const all: Document[] = []
      for (;;) {
        const after = all.at(-1)
        const page = await store.find(collection, { ...query, ...(after ? { after } : {}) })
        expect(page.length).toBeLessThanOrEqual(query.limit)
        all.push(...page)
        if (page.length === 0 || all.length > 1000) return idsOf(all)
      }
    }

    const byTopic = { topic: { fields: ['topic', 'time', 'size'] } }

    /** Two topics; times from 00 to 19, two documents each; some have none, or null. */
    const timed: Document[] = ['x', 'y'].flatMap((topic) => [
      ...Array.from({ length: 40 }, (_, at) => ({
        _id: `${topic}-${String((at * 7) % 40).padStart(2, '0')}`,
        topic,
        time: String(Math.floor(((at * 7) % 40) / 2)).padStart(2, '0'),
      })),
      { _id: `${topic}-null`, topic, time: null },
      { _id: `${topic}-none`, topic },
      { _id: `${topic}-number`, topic, time: 7 },
    ])

    const ranges: Range[] = [
      { from: '05', to: '09' },
      { from: '17' },
      { to: '02' },
      { from: '', to: '00' },
      { from: '99' },
    ]

    test.each(ranges.flatMap((range) => [false, true].map((newestFirst) => [range, newestFirst] as const)))(
      'given the range %j, then pages have what lies in it, `to` excluded (newest first: %s)',
      async (range, newestFirst) => {
        await given(byTopic, timed)
        const { from = '', to = '~' } = range
        const wanted = timed
          .filter(({ topic, time }) => topic === 'x' && typeof time === 'string' && time >= from && time < to)
          .map(({ _id }) => _id)
          .toSorted()
        for (const limit of [1, 3, 100]) {
          const ids = await pages({ index: 'topic', where: { topic: 'x' }, range, newestFirst, limit })
          expect(ids).toEqual(newestFirst ? wanted.toReversed() : wanted)
        }
      },
    )

    test('given bounds that are numbers, then what is found are numbers', async () => {
      await given(byTopic, [
        ...timed,
        { _id: 'x-nine', topic: 'x', time: 9.5 },
        { _id: 'x-minus', topic: 'x', time: -1 },
      ])
      const numbers = (range: Range) => found({ index: 'topic', where: { topic: 'x' }, range })
      expect(await numbers({ from: 7 })).toEqual(['x-number', 'x-nine'])
      expect(await numbers({ to: 9.5 })).toEqual(['x-minus', 'x-number'])
      expect(await numbers({ from: -1, to: 7 })).toEqual(['x-minus'])
    })

    test('given a range without bounds, then it leaves out nothing', async () => {
      await given(byTopic, timed)
      expect(await found({ index: 'topic', where: { topic: 'x' }, range: {} })).toHaveLength(43)
    })

    test('given no where, then the range is of the first field; given one on all fields, then of the id', async () => {
      await given({ ...byTopic, time: { fields: ['time'] } }, timed)
      expect(await found({ index: 'time', range: { from: '19' } })).toEqual(['x-38', 'x-39', 'y-38', 'y-39'])
      expect(await found({ index: 'time', where: { time: '19' }, range: { from: 'x-39', to: 'y-39' } })).toEqual([
        'x-39',
        'y-38',
      ])
    })

    test('given a place outside of the range to go on from, then the range still bounds what is found', async () => {
      await given(byTopic, timed)
      const query = { index: 'topic', where: { topic: 'x' }, range: { from: '05', to: '06' } }
      const at = (time: string | null): Document => ({ _id: 'x', topic: 'x', time })
      expect(await found({ ...query, after: at('00') })).toEqual(['x-10', 'x-11'])
      expect(await found({ ...query, after: at(null) })).toEqual(['x-10', 'x-11'])
      expect(await found({ ...query, after: at('19') })).toEqual([])
      expect(await found({ ...query, after: at('19'), newestFirst: true })).toEqual(['x-11', 'x-10'])
      expect(await found({ ...query, after: at('00'), newestFirst: true })).toEqual([])
    })

    test.each<[Partial<Find>, string]>([
      [{ where: { time: '01' } }, 'is not on a prefix of its fields'],
      [{ where: { topic: 'x', other: 1 } }, 'is not on a prefix of its fields'],
      [{ range: { from: 1, to: 'x' } }, 'a range is of one type'],
      [{ range: { from: { $gt: '' } as unknown as string } }, 'an index compares scalars only'],
    ])('given %j, then it is a mistake, and says so', async (query, message) => {
      await given(byTopic)
      await expect(found({ index: 'topic', ...query })).rejects.toThrow(message)
    })

    const byWord = { word: { fields: ['topic', 'words', 'time'], each: 'words' } }

    const tagged = (_id: string, words: Fields[string], more: Fields = {}): Document => ({
      _id,
      topic: 'x',
      words,
      time: _id,
      ...more,
    })

    const having = (word: string | number, more: Partial<Find> = {}) =>
      found({ index: 'word', where: { topic: 'x', words: word }, ...more })

    test('given a list, then a document is found by each of its items, once, in the order of the rest', async () => {
      await given(byWord, [
        tagged('c', ['mill', 'race', 'mill']),
        tagged('a', ['race', 'zebra']),
        tagged('b', ['aard', 'mill'], { time: 'z' }),
        tagged('d', ['mill'], { topic: 'y' }),
      ])
      expect(await having('mill')).toEqual(['c', 'b'])
      expect(await having('mill', { newestFirst: true })).toEqual(['b', 'c'])
      expect(await having('race')).toEqual(['a', 'c'])
      expect(await having('aard')).toEqual(['b'])
      expect(await having('mil')).toEqual([])
      expect(await store.find(collection, { index: 'word', where: { topic: 'y', words: 'mill' }, limit: 9 })).toEqual([
        tagged('d', ['mill'], { topic: 'y' }),
      ])
    })

    test('given items of every kind, then they are what they are; what is no scalar is not found', async () => {
      await given(byWord, [
        tagged('text', ['1', 'Grüße 😀', 'a\u0000b', '']),
        tagged('number', [1, 0.5, 2 ** 53]),
        tagged('deep', [['mill'], { mill: 'mill' }, null]),
        tagged('empty', []),
        tagged('null', null),
        { _id: 'none', topic: 'x', time: 'none' },
        { _id: 'no-time', topic: 'x', words: ['late'] },
        { _id: 'null-time', topic: 'x', words: ['late'], time: null },
        tagged('timed', ['late']),
      ])
      for (const word of ['1', 'Grüße 😀', 'a\u0000b', '']) expect(await having(word)).toEqual(['text'])
      for (const word of [1, 0.5, 2 ** 53]) expect(await having(word)).toEqual(['number'])
      for (const word of ['mill', '["mill"]', '{"mill":"mill"}', 'null']) expect(await having(word)).toEqual([])
      expect(await having('late')).toEqual(['no-time', 'null-time', 'timed'])
    })

    test.each([false, true])(
      'given many, then pages and ranges go as in any index (newest first: %s)',
      async (newestFirst) => {
        const documents = Array.from({ length: 60 }, (_, at) =>
          tagged(`id-${String((at * 37) % 60).padStart(2, '0')}`, at % 2 ? ['odd', 'all', 'odd'] : ['all', 'even'], {
            time: at % 7 ? String(at % 7) : null,
          }),
        )
        await given(byWord, documents)
        const inOrder = documents
          .filter(({ words }) => (words as string[]).includes('odd'))
          .toSorted((a, b) => Number(a.time) - Number(b.time) || (a._id < b._id ? -1 : 1))
        const wanted = (documents: Document[]) => idsOf(newestFirst ? documents.toReversed() : documents)
        const where = { topic: 'x', words: 'odd' }
        for (const limit of [1, 7, 100]) {
          expect(await pages({ index: 'word', where, newestFirst, limit })).toEqual(wanted(inOrder))
          const ranged = inOrder.filter(({ time }) => Number(time) >= 2 && Number(time) < 5)
          expect(await pages({ index: 'word', where, range: { from: '2', to: '5' }, newestFirst, limit })).toEqual(
            wanted(ranged),
          )
        }
      },
    )

    test('given documents that change by every way there is, then each is found by what it has now', async () => {
      await given(byWord, [tagged('insert', ['old', 'both']), tagged('gone', ['old', 'both'])])
      await store.insert(collection, [tagged('insert', ['ignored']), tagged('new', ['new', 'both'])])
      await store.commit([
        {
          collection,
          insert: [tagged('committed', ['new', 'both'])],
          put: [tagged('put', ['old', 'both']), tagged('new', ['again', 'both'])],
          swap: [{ ...tagged('swap', ['old', 'both']), generation: 1 }],
          remove: ['gone'],
        },
      ])
      expect(await having('ignored')).toEqual([])
      expect(await having('both')).toEqual(['committed', 'insert', 'new', 'put', 'swap'])
      expect(await having('new')).toEqual(['committed'])
      await store.commit([
        {
          collection,
          put: [tagged('put', ['new', 'both'], { time: '0' })],
          swap: [{ ...tagged('swap', ['new']), generation: 2 }],
        },
      ])
      await expect(
        store.commit([{ collection, put: [tagged('put', ['lost'])], insert: [tagged('insert', ['lost'])] }]),
      ).rejects.toThrow()
      expect(await having('lost')).toEqual([])
      expect(await having('old')).toEqual(['insert'])
      expect(await having('new')).toEqual(['put', 'committed', 'swap'])
      expect(await having('both')).toEqual(['put', 'committed', 'insert', 'new'])
      await store.remove(collection, ['insert', 'put'])
      expect(await having('both')).toEqual(['committed', 'new'])
      expect(await having('old')).toEqual([])
      await store.insert(collection, [tagged('insert', ['back'])])
      expect(await having('back')).toEqual(['insert'])
    })

    test('given a collection with documents, then an index of a list that is new finds them too', async () => {
      await given({}, [tagged('a', ['mill']), tagged('b', ['race', 'mill'])])
      collection = { ...collection, indexes: byWord }
      for (let time = 0; time < 2; time++) await store.prepare([collection])
      await store.insert(collection, [tagged('c', ['mill'])])
      expect(await having('mill')).toEqual(['a', 'b', 'c'])
    })

    test.each<[Fields, string]>([
      [{ topic: 'x' }, 'finds by an item of words'],
      [{ topic: 'x', words: null }, 'finds by an item of words'],
      [{ topic: 'x', words: ['mill'] }, 'an index compares scalars only'],
    ])('given %j of an index of a list, then it is a mistake, and says so', async (where, message) => {
      await given(byWord)
      await expect(found({ index: 'word', where })).rejects.toThrow(message)
    })

    const counted = (query: Partial<Count> & Pick<Count, 'by'>) =>
      store.count(collection, { index: 'log', where: { topic: 'x' }, limit: 100, ...query })

    const byLog = {
      log: { fields: ['topic', 'time', 'level'] },
      word: { fields: ['topic', 'words', 'time'], each: 'words' },
    }

    const log = (_id: string, time: string, more: Fields = {}): Document => ({
      _id,
      topic: 'x',
      time,
      level: 'info',
      ...more,
    })

    const logs: Document[] = [
      log('a', '2026-01-01T10:00:01Z'),
      log('b', '2026-01-01T10:00:59Z', { level: 'warn' }),
      log('c', '2026-01-01T10:00:59Z', { words: ['mill'] }),
      log('d', '2026-01-01T11:00:00Z', { words: ['race', 'mill', 'mill'] }),
      log('e', '2026-01-02T00:00:00Z', { topic: 'y' }),
      log('f', '2026-02-01T00:00:00Z', { level: null }),
      { _id: 'g', topic: 'x' },
    ]

    test('given groups by field and by the first characters, then each is counted, sorted by key', async () => {
      await given(byLog, logs)
      expect(await counted({ by: [{ field: 'time', length: 16 }, { field: 'level' }] })).toEqual([
        { key: [null, null], count: 1 },
        { key: ['2026-01-01T10:00', 'info'], count: 2 },
        { key: ['2026-01-01T10:00', 'warn'], count: 1 },
        { key: ['2026-01-01T11:00', 'info'], count: 1 },
        { key: ['2026-02-01T00:00', null], count: 1 },
      ])
      expect(await counted({ by: [{ field: 'level' }] })).toEqual([
        { key: [null], count: 2 },
        { key: ['info'], count: 3 },
        { key: ['warn'], count: 1 },
      ])
    })

    test('given a range, then only what lies in it is counted', async () => {
      await given(byLog, logs)
      const range = { from: '2026-01-01T10:00:59Z', to: '2026-02-01T00:00:00Z' }
      expect(await counted({ range, by: [{ field: 'time', length: 13 }] })).toEqual([
        { key: ['2026-01-01T10'], count: 2 },
        { key: ['2026-01-01T11'], count: 1 },
      ])
    })

    test('given no groups, then all are counted; given nothing to count, then there is no group', async () => {
      await given(byLog, logs)
      expect(await counted({ by: [] })).toEqual([{ key: [], count: 6 }])
      expect(await counted({ where: {}, by: [] })).toEqual([{ key: [], count: 7 }])
      expect(await counted({ where: { topic: 'z' }, by: [] })).toEqual([])
      expect(await counted({ where: { topic: 'z' }, by: [{ field: 'level' }] })).toEqual([])
    })

    test('given a number of documents to count at most, then no more are counted', async () => {
      await given(byLog, logs)
      const upTo = async (upTo: number, query: Partial<Count> = {}) =>
        (await counted({ by: [], ...query, upTo })).map(({ count }) => count)
      expect([await upTo(2), await upTo(6), await upTo(7)]).toEqual([[2], [6], [6]])
      expect(await upTo(1, { index: 'word', where: { topic: 'x', words: 'mill' } })).toEqual([1])
      expect(await upTo(9, { range: { from: '2026-01-01T11', to: '2026-03' } })).toEqual([2])
      expect(await upTo(1, { where: { topic: 'z' } })).toEqual([])
      const groups = await counted({ by: [{ field: 'level' }], upTo: 4 })
      expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(4)
    })

    test.each([false, true])(
      'given documents to skip, then a page begins behind them (newest first: %s)',
      async (newestFirst) => {
        await given({ ...byTopic, ...byWord }, [...timed, ...['a', 'b', 'c'].map((id) => tagged(id, ['mill', 'race']))])
        for (const query of [
          { index: 'topic', where: { topic: 'x' } },
          { index: 'topic', where: { topic: 'x' }, range: { from: '05', to: '09' } },
          { index: 'word', where: { topic: 'x', words: 'mill' } },
          { index: 'topic' },
        ]) {
          const all = await found({ ...query, newestFirst })
          for (const skip of [0, 1, 2, all.length - 1, all.length, all.length + 1]) {
            expect(await found({ ...query, newestFirst, skip }), `${skip} of ${all.length}`).toEqual(all.slice(skip))
          }
          expect(idsOf(await store.find(collection, { ...query, newestFirst, skip: 1, limit: 2 }))).toEqual(
            all.slice(1, 3),
          )
        }
        const after = timed[0] as Document
        await expect(found({ index: 'topic', where: { topic: 'x' }, after, skip: 1 })).rejects.toThrow(
          'either after or skip',
        )
      },
    )

    test('given an index of a list, then a document is counted once for an item, by any field', async () => {
      await given(byLog, logs)
      const query = { index: 'word', where: { topic: 'x', words: 'mill' } }
      expect(await counted({ ...query, by: [{ field: 'level' }, { field: 'time', length: 13 }] })).toEqual([
        { key: ['info', '2026-01-01T10'], count: 1 },
        { key: ['info', '2026-01-01T11'], count: 1 },
      ])
      await expect(counted({ ...query, by: [{ field: 'words' }] })).rejects.toThrow('groups by scalars')
    })

    test('given text and numbers of every kind, then first characters are whole, and keys are as find orders them', async () => {
      const values = ['😀😀😀', '😀😀', 'äöü', 'B', '\uffee', '', 12, 1, -0.5]
      await given(
        byLog,
        values.map((level, at) => ({ ...log(`id-${at}`, 'now'), level })),
      )
      expect(await counted({ by: [{ field: 'level', length: 2 }] })).toEqual(
        [-0.5, 1, 12, '', 'B', 'äö', '\uffee', '😀😀'].map((key) => ({ key: [key], count: key === '😀😀' ? 2 : 1 })),
      )
    })

    test('given more groups than the limit, then it is refused, not cut', async () => {
      await given(byLog, logs)
      expect(await counted({ by: [{ field: 'level' }], limit: 3 })).toHaveLength(3)
      await expect(counted({ by: [{ field: 'level' }], limit: 2 })).rejects.toBeInstanceOf(TooManyGroups)
    })
  })
}
