import { expect, test } from 'vitest'
import { events } from '#core/collections.ts'
import type { Fields } from '#domains/domain.ts'
import type { HistoryQuery } from '#domains/query.ts'
import { asking, world } from '#test/reading.ts'

type Page = { items: Fields[]; next: string | null }

const history: HistoryQuery = {
  answers: 'history',
  path: '/threads/{id}/history',
  stream: ({ id }) => `thread/${id}`,
  shape: ({ number, type, ...more }) => ({ number, type, members: Object.keys(more).sort() }),
}

const happened = (stream: string, number: number) => ({
  _id: `${stream}#${number}`,
  key: stream,
  stream: stream.replace(/^\w+:/, ''),
  number,
  type: `happened-${number}`,
  command: 'a',
  time: '2030-01-01T00:00:00.000Z',
  actor: 'anonymous',
  data: {},
})

test('the events of a stream come in the order of their numbers, in pages and as lines', async () => {
  const streams = ['reading:thread/a', 'reading:thread/b', 'other:thread/a']
  const all = streams.flatMap((stream) => Array.from({ length: 12 }, (_, at) => happened(stream, at + 1)))
  await world.store.insert(events, all)
  const { get, text } = asking([history])
  const first = await get<Page>('/threads/a/history?limit=10')
  const members = ['actor', 'command', 'data', 'stream', 'time']
  expect(first.items).toEqual(
    Array.from({ length: 10 }, (_, at) => ({ number: at + 1, type: `happened-${at + 1}`, members })),
  )
  const second = await get<Page>(`/threads/a/history?limit=10&cursor=${first.next}`)
  expect([second.items.map(({ number }) => number), second.next]).toEqual([[11, 12], null])
  const lines = (await text('/threads/a/history', { accept: 'application/x-ndjson' })).trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line).number)).toEqual(Array.from({ length: 12 }, (_, at) => at + 1))
})

test('an unknown stream has no events', async () => {
  expect(await asking([history]).get('/threads/none/history')).toEqual({ items: [], next: null })
})
