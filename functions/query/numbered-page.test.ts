import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Store } from '#core/store.ts'
import type { Document } from '#domains/domain.ts'
import type { Numbered, PageQuery } from '#domains/query.ts'
import { asking, notes, put, world } from '#test/reading.ts'
import type { NumberedPage } from './numbered-page.ts'

const page = (numbered: Partial<Numbered> = {}, changes: Partial<PageQuery> = {}): PageQuery => ({
  answers: 'page',
  path: '/notes',
  from: 'notes',
  params: z.object({ by: z.enum(['time', 'author']).default('time'), even: z.string().optional() }),
  index: ({ by }) => String(by),
  keep: ({ _id }, { even }) => even === undefined || Number(_id.slice(-1)) % 2 === 0,
  numbered: { sorts: { time: { by: 'time' }, author: { by: 'author' } }, ...numbered },
  shape: ({ _id }) => ({ id: _id }),
  ...changes,
})
const isByIndex: Numbered['isByIndex'] = ({ even }) => even === undefined

const numberOf = (at: number) => String(at).padStart(5, '0')
const fill = (count: number) =>
  put(
    notes,
    Array.from(
      { length: count },
      (_, at): Document => ({
        _id: numberOf(at),
        time: numberOf(at),
        author: at % 2 === 0 ? 'ada' : 'bob',
      }),
    ),
  )

const idsOf = ({ items }: NumberedPage) => items.map(({ id }) => Number(id))

/** A store that counts the documents that it reads. */
function counting(): { store: Store; read(): number } {
  let read = 0
  const store: Store = {
    ...world.store,
    async find(...asked) {
      const found = await world.store.find(...asked)
      read += found.length
      return found
    },
  }
  return { store, read: () => read }
}

test.each<[string, Partial<Numbered>]>([
  ['counted by the index', { isByIndex }],
  ['counted by reading', {}],
])('a numbered page has totals: %s', async (_, numbered) => {
  await fill(7)
  const { get } = asking([page(numbered)])
  const totals = { size: 3, total: 7, isTotalExact: true, totalPages: 3 }
  const all = await Promise.all([0, 1, 2, 3].map((page) => get<NumberedPage>(`/notes?page=${page}&size=3`)))
  expect(all.map(idsOf)).toEqual([[0, 1, 2], [3, 4, 5], [6], []])
  for (const [page, { items: _, ...rest }] of all.entries()) expect(rest).toEqual({ page, ...totals })
  expect(await get('/notes?size=3')).toEqual(all[0])
  expect(await get('/notes?page=0')).toMatchObject({ page: 0, size: 20, totalPages: 1 })
  expect(await get<NumberedPage>('/notes?page=1&size=2&even=1').then(idsOf)).toEqual([4, 6])
  expect(await get('/notes?page=1&size=2&even=1')).toMatchObject({ total: 4, isTotalExact: true, totalPages: 2 })
})

test('an empty list has no pages', async () => {
  const { get } = asking([page({ isByIndex })])
  const none = { items: [], page: 0, size: 20, total: 0, isTotalExact: true, totalPages: 0 }
  expect(await get('/notes?page=0')).toEqual(none)
  expect(await get('/notes?page=0&even=1')).toEqual(none)
})

test('`sort` selects an order in both directions, with page numbers and with cursors', async () => {
  await fill(4)
  const { get } = asking([page({ isByIndex })])
  for (const [sort, ids] of [
    ['time', [0, 1, 2, 3]],
    ['time,asc', [0, 1, 2, 3]],
    ['time,desc', [3, 2, 1, 0]],
    ['author', [0, 2, 1, 3]],
    ['author,desc', [3, 1, 2, 0]],
  ] as const) {
    expect(idsOf(await get(`/notes?page=0&sort=${sort}`)), sort).toEqual(ids)
    expect(idsOf(await get(`/notes?page=1&size=1&sort=${sort}`)), sort).toEqual([ids[1]])
    const first = await get<NumberedPage & { next: string }>(`/notes?limit=3&sort=${sort}`)
    const rest = await get<NumberedPage>(`/notes?limit=3&sort=${sort}&cursor=${first.next}`)
    expect([...idsOf(first), ...idsOf(rest)], sort).toEqual(ids)
  }
})

test('numbered pages and totals end at ten thousand items, and the problem names the cursor', async () => {
  await fill(10_001)
  const { store, read } = counting()
  const { get } = asking([page({ isByIndex })], { store })
  const last = await get<NumberedPage>('/notes?page=99&size=100')
  expect([idsOf(last).at(-1), read()]).toEqual([9999, 100])
  expect(last).toMatchObject({ total: 10_000, isTotalExact: false, totalPages: 100 })
  for (const far of ['page=100&size=100', 'page=10&size=1000', 'page=9999999']) {
    await expect(get(`/notes?${far}`)).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('cursor'),
    })
  }
  await world.store.remove(notes, ['00000'])
  expect(await get('/notes?page=0')).toMatchObject({ total: 10_000, isTotalExact: true, totalPages: 500 })
})

test('counts at most five thousand documents if it has to read them', async () => {
  await fill(5000)
  const { store, read } = counting()
  const { get } = asking([page({ isByIndex })], { store })
  expect(await get('/notes?page=0&even=1')).toMatchObject({ total: 2500, isTotalExact: true })
  await put(
    notes,
    [5000, 5002].map((at): Document => ({ _id: numberOf(at), time: numberOf(at) })),
  )
  const before = read()
  expect(await get('/notes?page=0&even=1')).toMatchObject({ total: 2500, isTotalExact: false })
  expect(read() - before).toBeLessThanOrEqual(6000)
})

test('does not count a document that its joined documents leave out', async () => {
  await fill(4)
  const shape: PageQuery['shape'] = ({ _id }) => (_id === '00001' ? undefined : { id: _id })
  const { get } = asking([page({}, { shape })])
  expect(await get('/notes?page=0&size=2')).toMatchObject({ items: [{ id: '00000' }, { id: '00002' }], total: 3 })
})

test.each([
  ['page=-1', 'page'],
  ['size=0', 'size'],
  ['size=1001', 'size'],
  ['sort=colour', 'sort'],
  ['sort=time,up', 'sort'],
  ['page=0&limit=3', 'limit: not together with page and size'],
  ['size=3&cursor=x', 'cursor: not together with page and size'],
  ['sort=time&by=time', 'by: not together with sort'],
])('refuses %s', async (wrong, message) => {
  const { get } = asking([page()])
  await expect(get(`/notes?${wrong}`)).rejects.toMatchObject({ status: 400, message: expect.stringContaining(message) })
})

test('a number in any other form than decimal digits is 422', async () => {
  const { get } = asking([page()])
  for (const wrong of ['page=1.5', 'size=1e2'])
    await expect(get(`/notes?${wrong}`)).rejects.toMatchObject({ status: 422 })
})

test('a query without `numbered` refuses page numbers, and NDJSON refuses them too', async () => {
  const { numbered: _, ...without } = page()
  const { get } = asking([without])
  await expect(get('/notes?page=0')).rejects.toMatchObject({ status: 400 })
  await expect(get('/notes?sort=time')).rejects.toMatchObject({ status: 400 })
  const { text } = asking([page()])
  const lines = text('/notes?page=0', { accept: 'application/x-ndjson' })
  await expect(lines).rejects.toMatchObject({ status: 400 })
})
