import { expect, test } from 'vitest'
import { z } from 'zod'
import { Unavailable } from '#core/unavailable.ts'
import type { Document, Fields } from '#domains/domain.ts'
import type { PageQuery } from '#domains/query.ts'
import { asking, authors, notes, put, world } from '#test/reading.ts'

type Page = { items: Fields[]; next: string | null }

const page = (changes: Partial<PageQuery> = {}): PageQuery => ({
  answers: 'page',
  path: '/notes',
  from: 'notes',
  index: 'time',
  shape: ({ _id }) => ({ id: _id }),
  ...changes,
})
const note = (_id: string, fields: Fields): Document => ({ _id, ...fields })
const idsOf = ({ items }: Page) => items.map(({ id }) => String(id))
const lines = (text: string): Fields[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

/** The items of all pages of a list. Only the first page may be empty. */
async function walk(query: PageQuery, url: string): Promise<string[]> {
  const { get } = asking([query])
  const ids: string[] = []
  for (let next: string | null = ''; next !== null; ) {
    const found: Page = await get<Page>(next ? `${url}&cursor=${next}` : url)
    if (next) expect(found.items.length).toBeGreaterThan(0)
    ids.push(...idsOf(found))
    next = found.next
  }
  return ids
}

test('given as many documents as the pages hold, then the last full page has no next', async () => {
  await put(
    notes,
    ['a', 'b', 'c', 'd'].map((id) => note(id, { time: id })),
  )
  const { get } = asking([page()])
  const first = await get<Page>('/notes?limit=2')
  expect([idsOf(first), first.next]).toEqual([['a', 'b'], expect.any(String)])
  expect(await get(`/notes?limit=2&cursor=${first.next}`)).toEqual({ items: [{ id: 'c' }, { id: 'd' }], next: null })
})

test('index and direction may depend on the parameters, and a cursor fits one order only', async () => {
  await put(notes, [note('a', { time: '1', author: 'z' }), note('b', { time: '2', author: 'y' })])
  const query = page({
    params: z.object({ by: z.enum(['time', 'author']), newest: z.stringbool().default(false) }),
    index: ({ by }) => String(by),
    newestFirst: ({ newest }) => newest === true,
  })
  const { get } = asking([query])
  expect(idsOf(await get('/notes?by=time'))).toEqual(['a', 'b'])
  expect(idsOf(await get('/notes?by=author'))).toEqual(['b', 'a'])
  const newest = await get<Page>('/notes?by=time&newest=1&limit=1')
  expect(idsOf(newest)).toEqual(['b'])
  expect(idsOf(await get(`/notes?by=time&newest=1&cursor=${newest.next}`))).toEqual(['a'])
  await expect(get(`/notes?by=time&cursor=${newest.next}`)).rejects.toMatchObject({ status: 400 })
  await expect(get(`/notes?by=author&cursor=${newest.next}`)).rejects.toMatchObject({ status: 400 })
})

test.each([false, true])(
  'several lists are merged in the order of what they leave open, at any size of page (newest first: %s)',
  async (newestFirst) => {
    const times = [null, null, '1', '1', '10', '2', 'a', '\u{e000}', '\u{10000}']
    const levels = ['low', 'middle', 'high', 'other']
    const all = levels.flatMap((level) =>
      times.map((time, at) => note(`${level}-${at}`, { author: 'ada', level, time })),
    )
    await put(notes, [...all, note('other', { author: 'bob', level: 'low', time: 1 })])
    const asked = ['low', 'high', 'middle', 'low']
    const query = page({
      index: 'level',
      where: () => asked.map((level) => ({ author: 'ada', level })),
      newestFirst,
    })
    const wanted = all.filter(({ level }) => level !== 'other')
    const order = (one: Document, other: Document) =>
      times.indexOf(one.time as string) - times.indexOf(other.time as string) || (one._id < other._id ? -1 : 1)
    const expected = wanted.toSorted((one, other) => (newestFirst ? -1 : 1) * order(one, other)).map(({ _id }) => _id)
    for (const limit of [1, 2, 5, 26, 27, 100]) expect(await walk(query, `/notes?limit=${limit}`)).toEqual(expected)
  },
)

test('a range bounds the first field after the filters, and a cursor stays within it', async () => {
  const levels = ['low', 'high']
  await put(
    notes,
    levels.flatMap((level) => [1, 2, 3, 4].map((time) => note(`${level}-${time}`, { author: 'ada', level, time }))),
  )
  const query = page({
    params: z.object({ from: z.coerce.number().optional(), to: z.coerce.number().optional() }),
    index: 'level',
    where: () => levels.map((level) => ({ author: 'ada', level })),
    range: ({ from, to }) => ({ from: from as number | undefined, to: to as number | undefined }),
  })
  for (const limit of [1, 2, 3, 50]) {
    expect(await walk(query, `/notes?from=2&to=4&limit=${limit}`)).toEqual(['high-2', 'low-2', 'high-3', 'low-3'])
    expect(await walk(query, `/notes?to=2&limit=${limit}`)).toEqual(['high-1', 'low-1'])
    expect(await walk(query, `/notes?limit=${limit}`)).toHaveLength(8)
  }
})

test('a query without filters is an empty page', async () => {
  expect(await asking([page({ index: 'level', where: () => [] })]).get('/notes')).toEqual({ items: [], next: null })
})

test('filters that fix different fields are an error of the domain', async () => {
  const { get } = asking([page({ index: 'level', where: () => [{ author: 'a' }, { author: 'a', level: 'b' }] })])
  await expect(get('/notes')).rejects.toThrow('the same fields')
})

test('a page is short if few documents belong to the list, and it reads at most 5,000', async () => {
  const all = Array.from({ length: 12_000 }, (_, at) => note(`n-${String(at).padStart(5, '0')}`, { time: at }))
  await put(notes, all)
  const isKept = ({ time }: Document) => time === 3 || time === 6000 || time === 11_999
  let looked = 0
  const query = page({
    keep(document) {
      looked++
      return isKept(document)
    },
  })
  const { get } = asking([query])
  const pages: string[][] = []
  for (let next: string | null = ''; next !== null; ) {
    looked = 0
    const found: Page = await get<Page>(`/notes?limit=2${next ? `&cursor=${next}` : ''}`)
    expect(looked).toBeLessThanOrEqual(5000)
    pages.push(idsOf(found))
    next = found.next
  }
  expect(pages).toEqual([['n-00003'], ['n-06000'], ['n-11999']])
})

test('the next page begins after the last item of a full page, whatever was read', async () => {
  await put(
    notes,
    Array.from({ length: 100 }, (_, at) => note(`n-${String(at).padStart(2, '0')}`, { time: at })),
  )
  const query = page({ keep: ({ time }) => Number(time) % 3 === 0 })
  const expected = Array.from({ length: 34 }, (_, at) => `n-${String(3 * at).padStart(2, '0')}`)
  expect(await walk(query, '/notes?limit=5')).toEqual(expected)
})

test("NDJSON streams the list from the page's start, and the cursor of each line resumes after it", async () => {
  await put(
    notes,
    Array.from({ length: 2500 }, (_, at) => note(`n-${String(at).padStart(4, '0')}`, { time: at })),
  )
  const { text } = asking([page({ keep: ({ time }) => Number(time) % 2 === 0 })])
  const accept = { accept: 'application/x-ndjson' }
  const whole = await text('/notes?limit=1', accept)
  expect(lines(whole)).toHaveLength(1250)
  const cutOff = whole.slice(0, whole.indexOf('n-1400') + 3)
  const got = lines(cutOff.slice(0, cutOff.lastIndexOf('\n')))
  const rest = lines(await text(`/notes?cursor=${got.at(-1)?.cursor}`, accept))
  expect([...got, ...rest]).toEqual(lines(whole))
})

test('NDJSON holds one read in memory, and stops reading when the client disconnects', async () => {
  await put(
    notes,
    Array.from({ length: 3000 }, (_, at) => note(`n-${at}`, { time: at })),
  )
  let reads = 0
  const find: typeof world.store.find = (...args) => {
    reads++
    return world.store.find(...args)
  }
  const gone = new AbortController()
  const { respond } = asking([page({ keep: () => false })], { store: { ...world.store, find } })
  const { body } = await respond('/notes', { accept: 'application/x-ndjson' }, gone)
  const chunks = (body as AsyncIterable<string>)[Symbol.asyncIterator]()
  expect(await chunks.next()).toEqual({ done: false, value: '' })
  expect(reads).toBe(1)
  gone.abort()
  expect(await chunks.next()).toMatchObject({ done: true })
})

test('an outage before the first line is a 503', async () => {
  const find = () => Promise.reject(new Unavailable('store', 'away'))
  const { text } = asking([page()], { store: { ...world.store, find } })
  await expect(text('/notes', { accept: 'application/x-ndjson' })).rejects.toBeInstanceOf(Unavailable)
  await expect(text('/notes')).rejects.toMatchObject({ status: 503 })
})

test('joins cost one read for each page and round', async () => {
  await put(authors, [note('ada', { name: 'Ada', friend: 'bob' }), note('bob', { name: 'Bob', friend: 'eve' })])
  await put(
    notes,
    Array.from({ length: 9 }, (_, at) => note(`n-${at}`, { time: at, author: at % 2 ? 'ada' : 'bob' })),
  )
  const asked: string[][] = []
  const get: typeof world.store.get = (collection, ids) => {
    asked.push(ids.toSorted())
    return world.store.get(collection, ids)
  }
  const query = page({
    join: ({ author }, documents) => {
      const friend = documents.get('authors', String(author))?.friend
      return [{ collection: 'authors', ids: [author, friend].filter((id) => id !== undefined).map(String) }]
    },
    shape({ _id, author }, { documents }) {
      const of = documents.get('authors', String(author))
      return { id: _id, name: of?.name ?? '', friend: documents.get('authors', String(of?.friend))?.name ?? 'nobody' }
    },
  })
  const { items } = await asking([query], { store: { ...world.store, get } }).get<Page>('/notes')
  expect(items.slice(0, 2)).toEqual([
    { id: 'n-0', name: 'Bob', friend: 'nobody' },
    { id: 'n-1', name: 'Ada', friend: 'Bob' },
  ])
  expect(asked).toEqual([['ada', 'bob'], ['eve']])
})

test('a reader has only the documents that were named, and naming without an end is an error', async () => {
  await put(notes, [note('a', { time: 1 })])
  const peeks = page({ join: () => [], shape: (_, { documents }) => documents.get('authors', 'ada') ?? {} })
  await expect(asking([peeks]).get('/notes')).rejects.toThrow(
    'join names no "ada" of collection authors. Add it to what join returns.',
  )
  let names = 0
  const endless = page({ join: () => [{ collection: 'authors', ids: [`a-${names++}`] }] })
  await expect(asking([endless]).get('/notes')).rejects.toThrow(
    'join names new documents at each of 5 calls. It must end after 4.',
  )
  expect(names).toBe(5)
})

test('a document that its joined documents leave out is in no page and no line, and a cursor resumes after it', async () => {
  await put(
    notes,
    ['a', 'b', 'c', 'd'].map((id) => note(id, { time: id, author: id === 'b' ? 'gone' : 'there' })),
  )
  await put(authors, [note('gone', { isGone: true }), note('there', { isGone: false })])
  const query = page({
    join: ({ author }) => [{ collection: 'authors', ids: [String(author)] }],
    shape: ({ _id, author }, { documents }) =>
      documents.get('authors', String(author))?.isGone === true ? undefined : { id: _id },
  })
  const { get, respond } = asking([query])
  const first = await get<Page>('/notes?limit=2')
  expect(idsOf(first)).toEqual(['a', 'c'])
  expect(await get(`/notes?limit=2&cursor=${first.next}`)).toEqual({ items: [{ id: 'd' }], next: null })
  const written = await respond('/notes', { accept: 'application/x-ndjson' })
  let text = ''
  for await (const chunk of written.body as AsyncIterable<string>) text += chunk
  expect(lines(text).map(({ id }) => id)).toEqual(['a', 'c', 'd'])
})

test.each([25, 4999, 5000, 12_000])(
  'a page goes on behind %s documents that only their joins leave out, many at once, until it has looked at 5,000',
  async (gone) => {
    const all = Array.from({ length: gone }, (_, at) => note(`gone-${at}`, { time: at, author: 'gone' }))
    await put(notes, [...all, note('there', { time: gone, author: 'there' })])
    await put(authors, [note('gone', { isGone: true }), note('there', { isGone: false })])
    let joins = 0
    const get: typeof world.store.get = (...args) => {
      joins++
      return world.store.get(...args)
    }
    let looked = 0
    const query = page({
      join: ({ author }) => [{ collection: 'authors', ids: [String(author)] }],
      shape({ _id, author }, { documents }) {
        looked++
        return documents.get('authors', String(author))?.isGone === true ? undefined : { id: _id }
      },
    })
    const asked = asking([query], { store: { ...world.store, get } })
    const pages: string[][] = []
    for (let next: string | null = ''; next !== null; ) {
      looked = 0
      joins = 0
      const found: Page = await asked.get<Page>(`/notes?limit=5${next ? `&cursor=${next}` : ''}`)
      expect(looked).toBeLessThanOrEqual(5000)
      expect(joins).toBeLessThanOrEqual(15)
      pages.push(idsOf(found))
      next = found.next
    }
    expect(pages).toEqual([...Array(Math.floor(gone / 5000)).fill([]), ['there']])
  },
)

test('a list whose parent does not exist is 404', async () => {
  await put(authors, [note('there', { isGone: false }), note('gone', { isGone: true })])
  const query = page({
    path: '/authors/{author}/notes',
    params: z.object({ author: z.string() }),
    index: 'author',
    where: ({ author = '' }) => ({ author }),
    parent: {
      touches: ({ author }) => [{ collection: 'authors', ids: [String(author)] }],
      exists: (documents, { author }) => documents.get('authors', String(author))?.isGone === false,
    },
  })
  const { get, respond } = asking([query])
  expect(await get('/authors/there/notes')).toEqual({ items: [], next: null })
  for (const author of ['gone', 'nobody']) {
    await expect(respond(`/authors/${author}/notes`)).rejects.toMatchObject({ status: 404 })
  }
})
