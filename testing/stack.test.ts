import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { decideDomain } from '#domains/decide-domain.ts'
import { given } from './given.ts'

/** Counters, of which some have the name of the bug that they meet. */
const counters = decideDomain({
  name: 'counters',
  topic: { name: 'counters', partitions: 1 },
  ordering: 'ordered',
  commands: {
    'counters.count': { data: z.strictObject({ id: z.string() }), stream: ({ id }) => id, routes: [] },
  },
  events: { 'counters.counted': z.object({ by: z.int() }) },
  collections: { counters: { schema: z.object({ by: z.int() }), indexes: {} } },
  touches: ({ stream }) => [{ collection: 'counters', ids: [stream] }],
  rules: {
    'counters.count': {
      events({ data: { id } }) {
        if (id === 'rule') throw new Error('a bug of the rule')
        return [{ type: 'counters.counted', data: { by: id === 'half' ? 0.5 : 1 } }]
      },
    },
  },
  projections: {
    'counters.counted'({ stream, data }) {
      if (stream === 'projection') throw new Error('a bug of the projection')
      return [{ collection: 'counters', document: { _id: stream === 'alien' ? 'first' : stream, ...data } }]
    },
  },
  queries: ({ one }) => [
    one({
      path: '/api/counters/{id}',
      name: 'one',
      shape({ _id, by }) {
        if (_id === 'query') throw new Error('a bug of the query')
        return { by }
      },
    }),
  ],
})

const count = (id: string) => ({ type: 'counters.count', data: { id } }) as const
const counted = (stream: string, by: number) => ({ type: 'counters.counted', stream, data: { by } }) as const
const frozen = { ...counters, touches: () => throwFrozen() }

function throwFrozen(): never {
  throw Object.freeze(new Error('a bug that is frozen'))
}

const LINES = readFileSync(import.meta.filename, 'utf8').split('\n')

/** The frames of an error outside of the test runner, as the lines of this file. */
function linesOf(error: unknown): string[] {
  const frames = (error as Error).stack?.split('\n').filter((line) => /^ +at /.test(line)) ?? []
  const others = frames.filter((line) => !/node_modules\/vitest|node:internal|new Promise/.test(line))
  return others.map((line) => {
    const [, row] = /stack\.test\.ts:(\d+):\d+\)?$/.exec(line) ?? []
    return row === undefined ? line : (LINES[Number(row) - 1] ?? '').trim()
  })
}

test.each<[string, string[], () => Promise<unknown>]>([
  ['then expected it to be rejected', [], () => given(counters).when(count('a')).thenExpect({ rejected: 'no' })],
  ['then expected by of the answer', [], () => given(counters, count('a')).thenQuery('one', { id: 'a' }, { by: 2 })],
  ['to be 2', [], () => given(counters).when(count('a')).thenQuery('one', { id: 'a' }, { by: 2 })],
  ['There is nothing with id', [], () => given(counters).query('one', { id: 'a' })],
  ['by: Invalid input', [], () => given(counters, counted('a', 0.5)).when(count('a')).thenExpect({})],
  ['which the rule of', [], () => given(counters).when(count('half')).thenExpect({})],
  ['touches names no', [], () => given(counters).when(count('alien')).thenExpect({})],
  [
    'of the rule',
    ["if (id === 'rule') throw new Error('a bug of the rule')"],
    () => given(counters).when(count('rule')).thenExpect({}),
  ],
  [
    'of the rule',
    ["if (id === 'rule') throw new Error('a bug of the rule')"],
    () => given(counters, count('rule')).when(count('a')),
  ],
  [
    'of the proj',
    ["if (stream === 'projection') throw new Error('a bug of the projection')"],
    () => given(counters).when(count('projection')),
  ],
  [
    'of the query',
    ["if (_id === 'query') throw new Error('a bug of the query')"],
    () => given(counters, count('query')).query('one', { id: 'query' }),
  ],
])('an error points to the lines of the author only: %s', async (message, bug, check) => {
  const error = await check().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ message: expect.stringContaining(message) })
  const [test = '', ...more] = linesOf(error).slice(bug.length)
  expect(linesOf(error).slice(0, bug.length)).toEqual(bug)
  expect(test).toMatch(/given\(counters|^\.(when|thenExpect)\(/)
  expect(more.filter((line) => !line.includes('await check()'))).toEqual([])
})

test('an error whose stack can not be changed stays as it is', async () => {
  await expect(given(frozen).when(count('a'))).rejects.toThrow('a bug that is frozen')
})
