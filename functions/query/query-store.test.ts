import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Document } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { asking, notes, world } from '#test/reading.ts'

/** Queries whose shapes return the whole document. */
const shape = (document: Document) => document
const queries: Query[] = [
  { answers: 'one', path: '/notes/{id}', from: 'notes', shape },
  { answers: 'page', path: '/notes', from: 'notes', index: 'time', params: z.object({}), shape },
  {
    answers: 'composed',
    path: '/notes/{id}/composed',
    touches: ({ id }) => [{ collection: 'notes', ids: [String(id)] }],
    answer: (documents, { id }) => documents.get('notes', String(id)),
    params: z.object({ id: z.string() }),
  },
]

test('no answer contains the stream of a document or the hash of a body', async () => {
  const note = { _id: 'a', time: 1 }
  await world.store.commit([{ collection: notes, own: [{ ...note, _hash: 'h', _stream: 'note/a' }] }])
  const { get } = asking(queries)
  expect(await get('/notes/a')).toEqual(note)
  expect(await get('/notes/a/composed')).toEqual(note)
  expect(await get('/notes')).toMatchObject({ items: [note] })
})
