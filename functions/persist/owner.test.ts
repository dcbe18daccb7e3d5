import { expect, test } from 'vitest'
import { letters, receipts } from '#core/collections.ts'
import type { Store } from '#core/store.ts'
import type { DecideDomain } from '#domains/domain.ts'
import { all, ask, count, counters, counting, kept, outcomeOf, start, statuses, world } from '#test/counting.ts'

/** One counter, which each writer counts in a stream of its own: against the contract. */
const shared: DecideDomain = {
  ...counting,
  ordering: 'unordered',
  commands: {
    'counting.count': {
      ...(counting.commands['counting.count'] as (typeof counting.commands)[string]),
      stream: ({ counter }) => `writer/${counter}`,
    },
  },
  touches: () => [{ collection: 'counters', ids: ['shared'] }],
  decide: ({ data }) => ({ events: [{ type: data.by === 0 ? 'cleared' : 'counted', data }] }),
  project({ type, data }, documents) {
    if (type === 'cleared') return [{ collection: 'counters', remove: 'shared' }]
    const before = documents.get('counters', 'shared')?.count ?? 0
    return [{ collection: 'counters', document: { _id: 'shared', count: Number(before) + Number(data.by) } }]
  },
}

/** Its reads take 2 ms, as those of a store over a network. */
const slow: Partial<Store> = {
  async get(collection, ids) {
    const found = await world.store.get(collection, ids)
    await new Promise((resolve) => setTimeout(resolve, 2))
    return found
  },
}

const write = (id: string, writer: string, by = 1, more = {}) => count(id, writer, by, more)
const sharedCounter = async () => (await all(counters, 'shared')).get('shared')

test('given a document of another stream, then to change it is a fault that names both and becomes a letter', async () => {
  const { persist } = start({}, 'pod-1', shared)
  expect((await persist(write('a', 'ada'))).status).toBe(204)
  for (const status of [500, 500, 500, 422]) expect((await persist(write('b', 'bob'))).status).toBe(status)
  expect((await all(letters, 'b')).get('b')).toMatchObject({
    error: 'shared of counters belongs to stream writer/ada: stream writer/bob can not change it',
  })
  expect((await persist(write('c', 'ada'))).status).toBe(204)
  expect(await sharedCounter()).toEqual({ _id: 'shared', count: 2, _stream: 'writer/ada' })
})

test('given two streams that write one document in one batch, then only the first does', async () => {
  const { persist } = start({}, 'pod-1', shared)
  expect(await statuses([persist(write('a', 'ada')), persist(write('b', 'bob')), persist(write('c', 'ada'))])).toEqual([
    204, 500, 204,
  ])
  expect(await sharedCounter()).toMatchObject({ count: 2 })
})

test.each([
  ['a new document', []],
  ['a document that was stored before streams were recorded', [{ _id: 'shared', count: 0 }]],
])(
  'given two processes on a slow store and 100 commands of two streams on %s, then no update is lost in silence',
  async (_, before) => {
    await world.store.commit([{ collection: counters, put: before }])
    const pods = ['pod-1', 'pod-2'].map((instance) => start(slow, instance, shared))
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, at) => {
        const { status } = (await pods[at % 2]?.persist(write(`c${at}`, at % 2 ? 'ada' : 'bob'))) ?? {}
        return { id: `c${at}`, status }
      }),
    )
    const done = answers.filter(({ status }) => status === 204)
    const applied = await all(receipts, ...done.map(({ id }) => id))
    expect(applied.size).toBe(done.length)
    expect(await sharedCounter()).toMatchObject({ count: done.length })
    expect(answers.filter(({ status }) => status !== 204 && status !== 500 && status !== 503)).toEqual([])
    expect(done.length).toBeGreaterThan(0)
    expect(done.length).toBeLessThan(100)
  },
)

test('given a document that was stored before streams were recorded, then the first stream that writes it has it', async () => {
  await world.store.commit([{ collection: counters, put: [{ _id: 'shared', count: 5 }] }])
  const { persist } = start({}, 'pod-1', shared)
  expect((await persist(write('a', 'ada'))).status).toBe(204)
  expect((await persist(write('b', 'bob'))).status).toBe(500)
  expect(await sharedCounter()).toEqual({ _id: 'shared', count: 6, _stream: 'writer/ada' })
})

test('given a document that its stream removed, then another stream may make it anew, and only the owner removes it', async () => {
  const { persist } = start({}, 'pod-1', shared)
  await persist(write('a', 'ada'))
  expect((await persist(write('b', 'bob', 0))).status).toBe(500)
  expect((await persist(write('c', 'ada', 0))).status).toBe(204)
  expect(await sharedCounter()).toBeUndefined()
  expect((await persist(write('d', 'eve', 7))).status).toBe(204)
  expect(await sharedCounter()).toEqual({ _id: 'shared', count: 7, _stream: 'writer/eve' })
})

test('given a removal and a new document of another stream in one batch, then both are applied', async () => {
  const { persist } = start({}, 'pod-1', shared)
  await persist(write('a', 'ada'))
  expect(await statuses([persist(write('b', 'ada', 0)), persist(write('c', 'eve', 7))])).toEqual([204, 204])
  expect(await sharedCounter()).toEqual({ _id: 'shared', count: 7, _stream: 'writer/eve' })
})

test('given a letter whose document was freed since, then a redrive applies it', async () => {
  const { persist } = start({}, 'pod-1', shared)
  await persist(write('a', 'ada'))
  for (let delivery = 0; delivery < 4; delivery++) await persist(write('b', 'bob'))
  await persist(ask('r1', 'redrive', { id: 'b' }))
  expect(await outcomeOf('r1')).toMatchObject({
    redriven: 0,
    failed: [{ error: expect.stringContaining('writer/ada') }],
  })
  await persist(write('c', 'ada', 0))
  await persist(ask('r2', 'redrive', { id: 'b' }))
  expect(await outcomeOf('r2')).toMatchObject({ redriven: 1 })
  expect(await kept()).toEqual([])
  expect(await sharedCounter()).toMatchObject({ count: 1, _stream: 'writer/bob' })
})

test('given rules that look at documents, then they see nothing of the stream', async () => {
  const seen: string[][] = []
  const { persist } = start({}, 'pod-1', {
    ...counting,
    decide(command, documents) {
      seen.push(Object.keys(documents.get('counters', 'x') ?? {}))
      return counting.decide(command, documents)
    },
  })
  for (const id of ['a', 'b']) await persist(count(id, 'x', 1))
  expect(seen).toEqual([[], ['_id', 'count', 'at']])
})
