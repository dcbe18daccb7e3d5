import { beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { events } from '#core/collections.ts'
import type { Caller, Fields } from '#domains/domain.ts'
import type { CountQuery, PageQuery, Query } from '#domains/query.ts'
import { asking, authors, notes, put, world } from '#test/reading.ts'

type Page = { items: Fields[]; next: string | null; total?: number }

/** The notes of the caller, or all notes for the editor. */
const where = (_: Fields, { id, scopes }: Caller): Fields => (scopes.has('edit') ? {} : { author: id })

const mine: PageQuery = {
  answers: 'page',
  path: '/mine',
  from: 'notes',
  params: z.object({ loud: z.stringbool().default(false) }),
  index: 'author',
  where,
  numbered: { sorts: { time: {} }, isByIndex: () => true },
  join: ({ author }) => [{ collection: 'authors', ids: [String(author)] }],
  shape({ _id, author }, { params, caller, documents }) {
    const name = String(documents.get('authors', String(author))?.name)
    return { id: _id, for: caller.id, name: params.loud ? name.toUpperCase() : name }
  },
  overview: { part: 'mine', params: () => ({ limit: '1' }) },
}

const ids = { shape: ({ _id }: Fields) => ({ id: String(_id) }), from: 'notes' } as const

const scopes: ReadonlySet<string> = new Set()
const people: { [name: string]: Caller } = {
  ada: { id: 'ada', scopes },
  bob: { id: 'bob', scopes },
  eve: { id: 'eve', scopes: new Set(['edit']) },
}
const anonymous: Caller = { id: 'anonymous', scopes }

/** One querier for all callers. A request names its caller instead of sending a token. */
function site(...queries: Query[]) {
  const callerOf = async ({ authorization }: { authorization?: string | undefined }) =>
    people[authorization ?? ''] ?? anonymous
  const client = asking(queries, { callerOf })
  return (authorization: string) => ({
    get: <Body>(url: string) => client.get<Body>(url, { authorization }),
    text: (url: string) => client.text(url, { authorization, accept: 'application/x-ndjson' }),
    respond: (url: string, headers = {}) => client.respond(url, { authorization, ...headers }),
  })
}

const idsIn = ({ items }: Page) => items.map(({ id }) => id)

beforeEach(async () => {
  const numbers = [1, 2, 3]
  const all = ['ada', 'bob'].flatMap((author) => numbers.map((time) => ({ _id: `${author}${time}`, author, time })))
  await put(notes, all)
  await put(authors, [
    { _id: 'ada', name: 'Ada' },
    { _id: 'bob', name: 'Bob' },
  ])
})

test('a page, its lines, its numbers and its items are those of the caller', async () => {
  const as = site(mine)
  for (const [id, name] of [['ada', 'Ada'] as const, ['bob', 'Bob'] as const]) {
    const own = [1, 2, 3].map((number) => ({ id: `${id}${number}`, for: id, name }))
    expect(await as(id).get('/mine')).toEqual({ items: own, next: null })
    const lines = (await as(id).text('/mine')).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject(own)
    expect(await as(id).get('/mine?page=0&size=2')).toMatchObject({ items: own.slice(0, 2), total: 3 })
  }
  expect(await as('ada').get('/mine?loud=true&limit=1')).toMatchObject({ items: [{ name: 'ADA' }] })
  expect((await as('eve').get<Page>('/mine')).items).toHaveLength(6)
  expect(await as('').get('/mine')).toEqual({ items: [], next: null })
})

test('the collection, the index, its direction and the joined documents may depend on the caller', async () => {
  const isEditor = ({ scopes }: Caller) => scopes.has('edit')
  const as = site({
    answers: 'page',
    path: '/either',
    from: (_, caller) => (isEditor(caller) || caller.id === 'ada' ? 'notes' : 'authors'),
    index: (_, caller) => (isEditor(caller) ? 'time' : caller.id === 'ada' ? 'author' : 'name'),
    where: (_, caller) => (caller.id === 'ada' ? { author: 'ada' } : {}),
    newestFirst: (_, caller) => caller.id === 'ada',
    numbered: { sorts: { time: {} }, isByIndex: (_, caller) => isEditor(caller) },
    keep: (_, __, caller) => !isEditor(caller),
    join: (_, __, { by }, caller) => [{ collection: 'authors', ids: [String(by ?? caller.id)] }],
    shape: ({ _id }, { caller, documents }) => ({ id: _id, for: documents.get('authors', caller.id)?.name ?? null }),
  })
  const own = [3, 2, 1].map((number) => ({ id: `ada${number}`, for: 'Ada' }))
  expect(await as('ada').get('/either')).toEqual({ items: own, next: null })
  expect(await as('bob').get('/either')).toMatchObject({ items: [{ id: 'ada', for: 'Bob' }, { id: 'bob' }] })
  expect(await as('eve').get('/either?page=0')).toMatchObject({ total: 6 })
  expect(await as('ada').get('/either?page=0')).toMatchObject({ total: 3, items: own })
})

test('the cursor of another caller leads to no document of that caller', async () => {
  const as = site(mine)
  const { next } = await as('ada').get<Page>('/mine?limit=1')
  expect(idsIn(await as('ada').get(`/mine?cursor=${next}`))).toEqual(['ada2', 'ada3'])
  const asBob = await as('bob').get<Page>(`/mine?cursor=${next}`)
  expect(idsIn(asBob)).toEqual(['bob1', 'bob2', 'bob3'])
  const lines = await as('bob').text(`/mine?cursor=${next}`)
  expect(lines).toContain('bob1')
  expect(lines).not.toContain('ada')
  const { next: editors } = await as('eve').get<Page>('/mine?limit=1')
  await expect(as('bob').get(`/mine?cursor=${editors}`)).rejects.toMatchObject({ status: 400 })
})

test('range and keep may depend on the caller', async () => {
  const late: PageQuery = {
    ...ids,
    answers: 'page',
    path: '/late',
    index: 'time',
    range: (_, { id }) => ({ from: id === 'ada' ? 2 : 3 }),
    keep: ({ author }, _, { id }) => author === id,
  }
  const as = site(late)
  expect(idsIn(await as('ada').get('/late'))).toEqual(['ada2', 'ada3'])
  expect(idsIn(await as('bob').get('/late'))).toEqual(['bob3'])
})

test("another caller's document is the same 404 as one that does not exist", async () => {
  const as = site({
    answers: 'one',
    path: '/notes/{id}',
    from: 'notes',
    params: z.object({ id: z.string().max(5), loud: z.stringbool().default(false) }),
    shape: ({ _id, author }, { params, caller }) =>
      author === caller.id ? { id: _id, loud: params.loud === true } : undefined,
  })
  expect(await as('ada').get('/notes/ada1?loud=true')).toEqual({ id: 'ada1', loud: true })
  const refused = async (url: string) => {
    const { status, title, message, headers, members } = await as('bob')
      .get(url)
      .then(
        () => expect.fail('it is answered'),
        (problem) => problem,
      )
    return { status, title, headers, members, message: message.replace(/\w+\.$/, '') }
  }
  expect(await refused('/notes/ada1')).toEqual(await refused('/notes/none'))
  expect(await refused('/notes/ada1')).toMatchObject({ status: 404 })
  await expect(as('ada').get('/notes/ada1?quiet=true')).rejects.toMatchObject({ status: 400 })
  await expect(as('ada').get('/notes/too-long')).rejects.toMatchObject({ status: 400 })
})

test("a whole list may be the caller's", async () => {
  const as = site({
    answers: 'all',
    path: '/all',
    from: 'notes',
    params: z.object({ from: z.coerce.number().optional() }),
    index: 'author',
    where,
    range: ({ from }) => ({ from: from as number | undefined }),
    shape: ({ _id }, { caller }) => ({ id: _id, for: caller.id }),
  })
  const own = (id: string, ...numbers: number[]) => numbers.map((number) => ({ id: `${id}${number}`, for: id }))
  expect(await as('ada').get('/all')).toEqual(own('ada', 1, 2, 3))
  expect(await as('bob').get('/all?from=2')).toEqual(own('bob', 2, 3))
  await expect(as('bob').get('/all?to=2')).rejects.toMatchObject({ status: 400 })
})

test('a composed answer may be of the caller', async () => {
  const as = site({
    answers: 'composed',
    path: '/me',
    touches: (_, { id }) => [{ collection: 'authors', ids: [id] }],
    answer: (documents, _, { id }) => documents.get('authors', id),
  })
  expect(await as('ada').get('/me')).toMatchObject({ name: 'Ada' })
  expect(await as('bob').get('/me')).toMatchObject({ name: 'Bob' })
  await expect(as('eve').get('/me')).rejects.toMatchObject({ status: 404 })
})

test('a whole list and a history leave out what shape leaves out', async () => {
  const item = (id: string, isFor: boolean) => (isFor ? { id } : undefined)
  await world.store.insert(events, [
    { _id: 'reading:x#1', key: 'reading:x', number: 1, actor: 'ada' },
    { _id: 'reading:x#2', key: 'reading:x', number: 2, actor: 'bob' },
  ])
  const as = site(
    {
      answers: 'all',
      path: '/all',
      from: 'notes',
      index: 'time',
      shape: ({ _id, author }, { caller }) => item(_id, author === caller.id),
    },
    {
      answers: 'history',
      path: '/history',
      stream: () => 'x',
      shape: ({ number, actor }, { caller }) => item(String(number), actor === caller.id),
    },
  )
  expect(await as('ada').get('/all')).toEqual([{ id: 'ada1' }, { id: 'ada2' }, { id: 'ada3' }])
  expect(await as('eve').get('/all')).toEqual([])
  expect(await as('ada').get('/history')).toEqual({ items: [{ id: '1' }], next: null })
  expect(await as('bob').get('/history')).toEqual({ items: [{ id: '2' }], next: null })
})

test('counts may be of the documents of the caller', async () => {
  const count: CountQuery = {
    answers: 'count',
    path: '/counts',
    from: 'notes',
    index: 'author',
    where,
    range: (_, { id }) => ({ from: id === 'ada' ? 1 : 2 }),
    by: (_, { scopes }) => (scopes.has('edit') ? [] : [{ field: 'author' }]),
    shape: ({ author = '' }, count, { caller }) => ({ author, count, for: caller.id }),
  }
  const as = site(count, { ...count, path: '/late', index: 'time', where: () => ({}), range: () => ({ from: 3 }) })
  expect(await as('eve').get('/late')).toEqual({ items: [{ author: '', count: 2, for: 'eve' }] })
  expect(await as('ada').get('/counts')).toEqual({ items: [{ author: 'ada', count: 3, for: 'ada' }] })
  expect(await as('bob').get('/counts')).toEqual({ items: [{ author: 'bob', count: 2, for: 'bob' }] })
})

test('a history may be that of the caller, and a parent may be hidden from others', async () => {
  const event = (stream: string, number: number) => ({ _id: `${stream}#${number}`, key: `reading:${stream}`, number })
  await world.store.insert(events, [event('author/ada', 1), event('author/ada', 2), event('author/bob', 1)])
  const shape = ({ number }: { number: number }, { caller }: { caller: Caller }) => ({ number, for: caller.id })
  const as = site(
    { answers: 'history', path: '/history', stream: (_, { id }) => `author/${id}`, shape },
    {
      answers: 'history',
      path: '/authors/{author}/history',
      stream: ({ author }) => `author/${author}`,
      parent: {
        touches: (_, { id }) => [{ collection: 'authors', ids: [id] }],
        exists: (documents, { author }, { id }) => documents.get('authors', id)?._id === author,
      },
      shape,
    },
  )
  const own = (id: string, ...numbers: number[]) => ({
    items: numbers.map((number) => ({ number, for: id })),
    next: null,
  })
  expect(await as('ada').get('/history')).toEqual(own('ada', 1, 2))
  expect(await as('bob').get('/history')).toEqual(own('bob', 1))
  const { next } = await as('ada').get<Page>('/history?limit=1')
  expect(await as('bob').get(`/history?cursor=${next}`)).toEqual(own('bob', 1))
  expect(await as('ada').get('/authors/ada/history')).toEqual(own('ada', 1, 2))
  await expect(as('bob').get('/authors/ada/history')).rejects.toMatchObject({ status: 404 })
})

test('a query that joins nothing fails if its shape asks for a document', async () => {
  const shape = (_: Fields, { documents }: { documents: { get(collection: string, id: string): unknown } }) => ({
    name: String(documents.get('authors', 'ada')),
  })
  const as = site({ answers: 'one', path: '/notes/{id}', from: 'notes', shape })
  await expect(as('ada').get('/notes/ada1')).rejects.toThrow(
    'shape cannot read "ada" of collection authors, since only a page has join.',
  )
})

test('each caller has an overview of its own', async () => {
  const as = site(mine)
  for (const id of ['ada', 'bob']) {
    expect(await as(id).get('/api/overview')).toMatchObject({ parts: { mine: { items: [{ id: `${id}1` }] } } })
  }
})

test.each(['/mine', '/api/overview'])('the ETag of one caller is no 304 for another: %s', async (path) => {
  const as = site(mine)
  const { headers } = await as('ada').respond(path)
  const known = { 'if-none-match': String(headers?.etag) }
  expect(await as('ada').respond(path, known)).toMatchObject({ status: 304 })
  const { status, body } = await as('bob').respond(path, known)
  expect(status).toBe(200)
  expect(body).toContain('bob1')
})

test('caches keep the answers of callers apart, and shared caches keep none of a caller with a token', async () => {
  const as = site(
    mine,
    { ...ids, answers: 'all', path: '/all', index: 'time' },
    { ...ids, answers: 'live', path: '/live', of: { collection: 'notes' }, keep: () => true },
  )
  const vary = 'accept, authorization'
  const { headers } = await as('ada').respond('/mine')
  for (const [url, more, status] of [
    ['/mine', {}, 200],
    ['/mine', { 'if-none-match': String(headers?.etag) }, 304],
    ['/mine', { accept: 'application/x-ndjson' }, 200],
    ['/all', {}, 200],
    ['/api/overview', {}, 200],
  ] as const) {
    const found = await as('ada').respond(url, more)
    expect(found, url).toMatchObject({ status, headers: { vary, 'cache-control': 'private, no-cache' } })
  }
  expect((await as('').respond('/mine')).headers).toMatchObject({ vary, 'cache-control': 'no-cache' })
  expect((await as('ada').respond('/live')).headers).toMatchObject({ vary, 'cache-control': 'no-store' })
})
