import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Caller } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { asking } from '#test/reading.ts'

const queries: Query[] = [
  {
    answers: 'page',
    path: '/api/of',
    scope: 'notes:read',
    organisation: ({ author }) => String(author),
    params: z.object({ author: z.string() }),
    from: 'notes',
    index: 'author',
    where: ({ author = '' }) => ({ author }),
    shape: ({ _id }) => ({ id: _id }),
    overview: { part: 'of', params: () => ({ author: 'acme' }) },
  },
]

const people: { [name: string]: Caller } = {
  anonymous: { id: 'anonymous', scopes: new Set() },
  rita: { id: 'rita', organisation: 'acme', scopes: new Set(['notes:read']) },
  will: { id: 'will', organisation: 'acme', scopes: new Set(['notes:write']) },
  olga: { id: 'olga', scopes: new Set(['letters:read']) },
}

const reading = (name: string, url: string) =>
  asking(queries, { callerOf: async () => people[name] as Caller }).respond(url)

test('a caller without the scope gets 401 or 403 even if the parameters are wrong', async () => {
  await expect(reading('anonymous', '/api/of')).rejects.toMatchObject({ status: 401 })
  await expect(reading('will', '/api/of')).rejects.toMatchObject({ status: 403 })
  await expect(reading('rita', '/api/of')).rejects.toMatchObject({ status: 400 })
})

test('a member of an organisation reads its documents only', async () => {
  expect(await reading('rita', '/api/of?author=acme')).toMatchObject({ status: 200 })
  await expect(reading('rita', '/api/of?author=globex')).rejects.toMatchObject({ status: 403 })
})

test('an overview leaves out the parts that the caller may not read', async () => {
  const partsOf = async (name: string) =>
    Object.keys(JSON.parse(String((await reading(name, '/api/overview')).body)).parts)
  expect(await partsOf('rita')).toEqual(['of'])
  expect(await partsOf('will')).toEqual([])
  expect(await partsOf('anonymous')).toEqual([])
})

test('letters need the scope letters:read', async () => {
  for (const path of ['/api/letters', '/api/letters/some']) {
    await expect(reading('anonymous', path)).rejects.toMatchObject({ status: 401 })
    await expect(reading('rita', path)).rejects.toMatchObject({ status: 403 })
  }
  expect(await reading('olga', '/api/letters')).toMatchObject({ status: 200 })
  await expect(reading('olga', '/api/letters/some')).rejects.toMatchObject({ status: 404 })
})
