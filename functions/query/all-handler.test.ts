import { expect, test } from 'vitest'
import { Unavailable } from '#core/unavailable.ts'
import type { AllQuery } from '#domains/query.ts'
import { asking, notes, put, world } from '#test/reading.ts'

const all: AllQuery = { answers: 'all', path: '/all', from: 'notes', index: 'time', shape: ({ _id }) => ({ id: _id }) }

test.each([0, 1, 1000, 2500])('a collection of %s documents is one array in the order of the index', async (size) => {
  const documents = Array.from({ length: size }, (_, at) => ({ _id: `n-${at}`, time: at }))
  await put(notes, documents)
  expect(await asking([all]).get('/all')).toEqual(documents.map(({ _id }) => ({ id: _id })))
})

test('a document whose shape is undefined is left out, and so is a whole batch of them', async () => {
  const documents = Array.from({ length: 2500 }, (_, at) => ({ _id: `n-${at}`, time: at }))
  await put(notes, documents)
  const few: AllQuery = {
    ...all,
    shape: ({ _id, time }) => (time === 3 || time === 2100 || time === 2101 ? { id: _id } : undefined),
  }
  expect(await asking([few]).get('/all')).toEqual([{ id: 'n-3' }, { id: 'n-2100' }, { id: 'n-2101' }])
  expect(await asking([{ ...all, shape: () => undefined }]).get('/all')).toEqual([])
})

test('an outage before the first read is a 503, and a later one breaks the response off', async () => {
  await put(
    notes,
    Array.from({ length: 1500 }, (_, at) => ({ _id: `n-${at}`, time: at })),
  )
  let reads = 0
  const find: typeof world.store.find = (...args) => {
    if (reads-- === 0) throw new Unavailable('store', 'away')
    return world.store.find(...args)
  }
  const store = { ...world.store, find }
  const body = (await asking([all], { store }).respond('/all')).body as AsyncIterable<string>
  await expect(body[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(Unavailable)
  reads = 1
  const chunks = ((await asking([all], { store }).respond('/all')).body as AsyncIterable<string>)[
    Symbol.asyncIterator
  ]()
  expect((await chunks.next()).value).toMatch(/^\[\{"id":"n-0"\}/)
  await expect(chunks.next()).rejects.toBeInstanceOf(Unavailable)
})
