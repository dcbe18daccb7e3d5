import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { createClient } from '#client/client.ts'
import type { Client, Line, ListChange, NumberedPage, Outcome, Page } from '#client/types.ts'
import type letters from '#core/letters/domain.ts'
import type { CommandType } from '#domains/domain.ts'
import type logs from '#domains/logs/domain.ts'
import type { Query } from '#domains/query.ts'
import type sums from '#domains/sums/domain.ts'
import type tutorials from '#domains/tutorials/domain.ts'
import type { shop } from '../shop.ts'

type Domains = { tutorials: typeof tutorials; sums: typeof sums; letters: typeof letters }
type Own = Client<Domains>
const client = createClient<Domains>({ url: 'http://nowhere' })

type Tutorial = { id: string; title: string; time: string }

test("a command takes the input of its schema, and resolves to its outcome or to its route's answer", () => {
  expectTypeOf<Parameters<Own['tutorials']['publish']>[0]>().toEqualTypeOf<{ title: string }>()
  expectTypeOf<Awaited<ReturnType<Own['tutorials']['publish']>>>().toEqualTypeOf<Outcome>()
  expectTypeOf<Awaited<ReturnType<Own['sums']['add']>>>().toEqualTypeOf<{ result: number }>()
  expectTypeOf<Parameters<Own['sums']['add']>[0]>().toExtend<{ requestId?: string | undefined; firstNumber: number }>()
  // @ts-expect-error a title is a string
  void (() => client.tutorials.publish({ title: 1 }))
  // @ts-expect-error it needs one
  void (() => client.tutorials.publish())
  // @ts-expect-error there is no such command
  void (() => client.tutorials.delete({ title: 'a' }))
})

test('a query takes its parameters, and resolves to the answer of its kind with its items', () => {
  expectTypeOf<Awaited<ReturnType<Own['tutorials']['list']>>>().toEqualTypeOf<Page<Tutorial>>()
  expectTypeOf<Awaited<ReturnType<Own['tutorials']['one']>>>().toEqualTypeOf<Tutorial>()
  expectTypeOf<Parameters<Own['tutorials']['one']>[0]>().toEqualTypeOf<{ id: string }>()
  expectTypeOf<Awaited<ReturnType<Own['sums']['total']>>>().toEqualTypeOf<bigint>()
  expectTypeOf(client.tutorials.list).toBeCallableWith({ limit: 7 })
  expectTypeOf(client.tutorials.list).toBeCallableWith()
  expectTypeOf<Parameters<Client<{ nothing: typeof nothing }>['nothing']['list']>[0]>().toEqualTypeOf<
    { limit?: number; cursor?: string } | undefined
  >()
  expectTypeOf(client.letters.redrives.one).toBeCallableWith({ id: 'a' })
  expectTypeOf<ReturnType<Own['tutorials']['list']['each']>>().toExtend<AsyncIterable<Tutorial>>()
  expectTypeOf<ReturnType<Own['tutorials']['list']['lines']>>().toExtend<AsyncIterable<Tutorial>>()
  // @ts-expect-error it needs an id
  void (() => client.tutorials.one({}))
  // @ts-expect-error it is one document
  void (() => client.tutorials.one.each({ id: 'a' }))
})

const commands = {
  'notes.write': {
    data: z.strictObject({ text: z.string(), author: z.string() }),
    stream: () => 'a',
    routes: [{ method: 'POST', path: '/api/notes', body: 'batch' }],
  },
  'notes.lines.change': {
    data: z.strictObject({ id: z.string(), line: z.coerce.number() }),
    stream: () => 'a',
    routes: [{ method: 'PATCH', path: '/api/notes/{id}', body: 'json' }],
  },
} satisfies { [type: string]: CommandType }

const queries = [
  {
    answers: 'page',
    path: '/api/notes/{author}',
    name: 'lines',
    params: z.object({ text: z.string(), least: z.coerce.number().optional() }),
    index: 'author',
    shape: () => ({}),
  },
  { answers: 'one', path: '/api/lines/{id}', name: 'line', params: z.object({ loud: z.boolean() }), shape: () => ({}) },
  {
    answers: 'all',
    path: '/api/lines',
    name: 'all',
    params: z.object({ author: z.string() }),
    index: 'author',
    shape: () => ({}),
  },
] as const satisfies readonly Query[]

const notes = { contract: { commands, queries } }
type Notes = Client<{ notes: typeof notes }>['notes']

const listed = { answers: 'page', path: '/api/nothing', name: 'list', index: 'time', shape: () => ({}) } as const
const nothing = { contract: { commands: {}, queries: [{ ...listed, params: z.object({}) }] } } as const

test('a batch resolves to lines, names nest, and parameters are those of the path and those declared', () => {
  expectTypeOf<Notes['write']>().toBeCallableWith({ text: 'a', author: 'b' })
  expectTypeOf<Notes['write']>().toBeCallableWith([{ text: 'a', author: 'b' }])
  const many = (write: Notes['write']) => write([{ text: 'a', author: 'b' }])
  expectTypeOf<ReturnType<typeof many>>().resolves.toEqualTypeOf<Line[]>()
  expectTypeOf<Parameters<Notes['lines']['change']>[0]>().toEqualTypeOf<{ id: string; line: number }>()
  expectTypeOf<Notes['lines']>().toBeCallableWith({ author: 'a', text: 'b', least: 3, limit: 4 })
  expectTypeOf<Parameters<Notes['line']>[0]>().toEqualTypeOf<{ id: string; loud: boolean }>()
  expectTypeOf<Parameters<Notes['all']>[0]>().toEqualTypeOf<{ author: string }>()
})

test('a live list has kinds of changes; live events and documents that never change are items', () => {
  type Each<Q> = Q extends (...args: never[]) => AsyncGenerator<infer Item> ? Item : never
  type Shop = Client<{ shop: typeof shop }>['shop']
  type Order = { id: string; state: string; from?: string | undefined }
  expectTypeOf<Each<Shop['mine']['each']>>().toEqualTypeOf<ListChange<Order>>()
  expectTypeOf<Each<Shop['events']['each']>>().toEqualTypeOf<{ type: string }>()
  expectTypeOf<Each<Client<{ logs: typeof logs }>['logs']['live']['each']>>().toExtend<{ organizationId: string }>()
})

const sortable = {
  ...listed,
  params: z.object({ author: z.string() }),
  item: z.object({ id: z.string() }),
  numbered: { sorts: { time: {}, author: {} } },
} as const satisfies Query
type Sortable = Client<{
  notes: { contract: { commands: typeof commands; queries: readonly [typeof sortable] } }
}>['notes']['list']

test('a total is a bigint, unless it has a schema', () => {
  const total = { answers: 'total', path: '/api/all', name: 'parts', total: () => '{"words":0}' } as const
  type Totals<Q> = Client<{ notes: { contract: { commands: typeof commands; queries: readonly [Q] } } }>['notes']
  expectTypeOf<Awaited<ReturnType<Totals<typeof total>['parts']>>>().toEqualTypeOf<bigint>()
  type Described = typeof total & { item: z.ZodObject<{ words: z.ZodInt }> }
  expectTypeOf<Awaited<ReturnType<Totals<Described>['parts']>>>().toEqualTypeOf<{ words: number }>()
})

test('a query with numbered pages has numbered() with totals, and sort', () => {
  type Sort = 'time' | 'time,asc' | 'time,desc' | 'author' | 'author,asc' | 'author,desc'
  expectTypeOf<Parameters<Sortable['numbered']>[0]>().toEqualTypeOf<{
    author: string
    page?: number
    size?: number
    sort?: Sort
  }>()
  expectTypeOf<Awaited<ReturnType<Sortable['numbered']>>>().toEqualTypeOf<NumberedPage<{ id: string }>>()
  expectTypeOf<Sortable>().toBeCallableWith({ author: 'a', sort: 'time,desc', limit: 3 })
  expectTypeOf<Sortable['each']>().toBeCallableWith({ author: 'a', sort: 'author' })
  // @ts-expect-error tutorials have no numbers
  void (() => client.tutorials.list.numbered())
})
