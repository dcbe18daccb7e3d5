import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Fields } from '#domains/domain.ts'
import type { CountQuery } from '#domains/query.ts'
import { asking, notes, put } from '#test/reading.ts'

const count: CountQuery = {
  answers: 'count',
  path: '/counts',
  from: 'notes',
  index: 'level',
  params: z.object({
    levels: z.string().transform((text) => text.split(',')),
    from: z.string().optional(),
    to: z.string().optional(),
    each: z.coerce.number().default(16),
  }),
  where: ({ levels }) => (levels as string[]).map((level) => ({ author: 'ada', level })),
  range: ({ from, to }) => ({ from: from as string | undefined, to: to as string | undefined }),
  by: ({ each }) => [{ field: 'time', length: Number(each) }],
  shape: ({ time }, count) => ({ from: time ?? '', count }),
}
const times = ['2030-01-01T10:00:30', '2030-01-01T10:01:00', '2030-01-01T10:01:30', '2030-01-01T11:00:00']
const given = () =>
  put(
    notes,
    ['ada', 'bob'].flatMap((author) =>
      ['low', 'high', 'other'].flatMap((level) =>
        times.map((time, at) => ({ _id: `${author}-${level}-${at}`, author, level, time })),
      ),
    ),
  )

test('counts documents by group, over several filters and within a range', async () => {
  await given()
  const { get } = asking([count])
  expect(await get('/counts?levels=low,high')).toEqual({
    items: [
      { from: '2030-01-01T10:00', count: 2 },
      { from: '2030-01-01T10:01', count: 4 },
      { from: '2030-01-01T11:00', count: 2 },
    ],
  })
  const range = `from=${times[1]}&to=${times[3]}`
  expect(await get(`/counts?levels=low&each=13&${range}`)).toEqual({ items: [{ from: '2030-01-01T10', count: 2 }] })
  expect(await get(`/counts?levels=none`)).toEqual({ items: [] })
})

test('a group has a value for each field, or null if its documents have none', async () => {
  await put(notes, [
    { _id: 'a', author: 'ada', time: 2 },
    { _id: 'b', author: 'ada' },
  ])
  const by = () => [{ field: 'author' }, { field: 'time' }]
  const shape = (group: Fields, count: number) => ({ ...group, count })
  const { where: _, range: __, params: ___, ...all } = count
  expect(await asking([{ ...all, index: 'time', by, shape }]).get('/counts')).toEqual({
    items: [
      { author: 'ada', time: null, count: 1 },
      { author: 'ada', time: 2, count: 1 },
    ],
  })
})

test('too many groups are a 400, not a cut-off answer', async () => {
  await put(
    notes,
    Array.from({ length: 10_001 }, (_, at) => ({ _id: `n-${at}`, author: 'ada', level: 'low', time: `${at}` })),
  )
  const { get } = asking([count])
  await expect(get('/counts?levels=low')).rejects.toMatchObject({ status: 400, title: 'Too many groups' })
  expect((await get<{ items: Fields[] }>('/counts?levels=low&each=1')).items).toHaveLength(10)
})
