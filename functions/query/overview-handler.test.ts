import { expect, test } from 'vitest'
import { z } from 'zod'
import { Unavailable } from '#core/unavailable.ts'
import type { ComposedQuery, PageQuery, Query } from '#domains/query.ts'
import { manualClock } from '#test/clock.ts'
import { asking, authors, notes, put, world } from '#test/reading.ts'

interface Overview {
  parts: { [name: string]: unknown }
  missing: { part: string; reason: string }[]
}

const newest: PageQuery = {
  answers: 'page',
  path: '/notes',
  from: 'notes',
  params: z.object({ newest: z.stringbool().default(false) }),
  index: 'time',
  newestFirst: ({ newest }) => newest === true,
  shape: ({ _id }) => ({ id: _id }),
  overview: { part: 'latest', params: () => ({ limit: '2', newest: 'true' }) },
}
const author: ComposedQuery = {
  answers: 'composed',
  path: '/authors/{id}',
  params: z.object({ id: z.string() }),
  touches: ({ id }) => [{ collection: 'authors', ids: [String(id)] }],
  answer: (documents, { id }) => documents.get('authors', String(id)),
  overview: { part: 'author', params: ({ id }) => ({ id }) },
}
const given = async () => {
  await put(
    notes,
    ['a', 'b', 'c'].map((_id) => ({ _id, time: _id })),
  )
  await put(authors, [{ _id: 'anonymous', name: 'Ada' }])
}
const latest = { items: [{ id: 'c' }, { id: 'b' }], next: expect.any(String) }
const away = (what: string) => async () => {
  throw new Unavailable('store', what)
}

test('the overview has several reads, each with the parameters that its query declares', async () => {
  await given()
  const parts = { latest, author: { _id: 'anonymous', name: 'Ada' } }
  expect(await asking([newest, author]).get('/api/overview')).toEqual({ parts, missing: [] })
})

test('a part that is unavailable, fails, does not exist or is not allowed is left out and listed as missing', async () => {
  await given()
  const broken: ComposedQuery = {
    ...author,
    path: '/broken/{id}',
    overview: { part: 'broken', params: ({ id }) => ({ id }) },
    answer() {
      throw new Error('a secret of the code')
    },
  }
  const others: Query[] = [
    { ...author, path: '/none/{id}', overview: { part: 'none', params: () => ({ id: 'nobody' }) } },
    { ...author, path: '/wrong/{id}', overview: { part: 'wrong', params: () => ({}) } },
    { ...author, path: '/denied/{id}', overview: { part: 'denied', params: () => undefined } },
  ]
  const { get } = asking([newest, broken, author, ...others])
  const { parts, missing } = await get<Overview>('/api/overview')
  expect(parts).toEqual({ latest, author: { _id: 'anonymous', name: 'Ada' } })
  expect(missing.map(({ part }) => part)).toEqual(['broken', 'none', 'wrong', 'denied'])
  for (const { reason } of missing) expect(reason).toMatch(/^[A-Zi].+/)
  expect(JSON.stringify(missing)).not.toContain('secret')

  const half = asking([newest, author], { store: { ...world.store, get: away('secret') } })
  expect(await half.get('/api/overview')).toEqual({
    parts: { latest },
    missing: [{ part: 'author', reason: expect.any(String) }],
  })
})

test('a part that takes longer than a second is left out', async () => {
  await given()
  const clock = manualClock()
  const store = { ...world.store, get: () => new Promise<never>(() => {}) }
  const answer = asking([newest, author], { store, clock }).get<Overview>('/api/overview')
  await clock.advance(999)
  expect(clock.sleepers()).toBe(1)
  await clock.advance(1)
  expect(await answer).toMatchObject({ parts: { latest }, missing: [{ part: 'author' }] })
})

test('an outage that leaves no part is a 503, but parts that are not for the caller are not', async () => {
  const store = { ...world.store, get: away('away'), find: away('away') }
  await expect(asking([newest, author], { store }).get('/api/overview')).rejects.toMatchObject({ status: 503 })
  const denied: Query = { ...author, overview: { part: 'author', params: () => undefined } }
  expect(await asking([denied], { store }).get('/api/overview')).toMatchObject({ missing: [{ part: 'author' }] })
  expect(await asking([]).get('/api/overview')).toEqual({ parts: {}, missing: [] })
})

test('If-None-Match with the current ETag of the overview is 304', async () => {
  const { respond } = asking([newest])
  const { headers } = await respond('/api/overview')
  expect(await respond('/api/overview', { 'if-none-match': headers?.etag })).toMatchObject({ status: 304 })
})
