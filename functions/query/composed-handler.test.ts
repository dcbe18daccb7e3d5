import { expect, test } from 'vitest'
import { z } from 'zod'
import type { DocumentReader } from '#domains/domain.ts'
import type { ComposedQuery } from '#domains/query.ts'
import { asking, authors, notes, put } from '#test/reading.ts'

/** A note with its author, whose id it names after it has found the note. */
const composed: ComposedQuery = {
  answers: 'composed',
  path: '/notes/{id}/with-author',
  params: z.object({ id: z.string().max(5), loud: z.stringbool().default(false) }),
  touches({ id }, _, documents) {
    const author = documents.get('notes', String(id))?.author
    const note = { collection: 'notes', ids: [String(id)] }
    return author === undefined ? [note] : [note, { collection: 'authors', ids: [String(author)] }]
  },
  answer(documents, { id, loud }, caller) {
    const note = documents.get('notes', String(id))
    if (!note) return undefined
    const name = String(documents.get('authors', String(note.author))?.name)
    return { id: note._id, name: loud ? name.toUpperCase() : name, caller: caller.id }
  },
}

test('a composed answer may name documents by what it has found in others', async () => {
  await put(notes, [{ _id: 'a', author: 'ada' }])
  await put(authors, [{ _id: 'ada', name: 'Ada' }])
  const { get } = asking([composed])
  expect(await get('/notes/a/with-author')).toEqual({ id: 'a', name: 'Ada', caller: 'anonymous' })
  expect(await get('/notes/a/with-author?loud=true')).toMatchObject({ name: 'ADA' })
})

test('a composed query without an answer is 404, and a wrong parameter in the path is 400', async () => {
  const { get } = asking([composed])
  await expect(get('/notes/b/with-author')).rejects.toMatchObject({ status: 404 })
  await expect(get('/notes/too-long/with-author')).rejects.toMatchObject({
    status: 400,
    members: { errors: [{ field: 'id' }] },
  })
})

test('If-None-Match with the current ETag of a composed answer is 304', async () => {
  await put(notes, [{ _id: 'a', author: 'ada' }])
  const { respond } = asking([composed])
  const { headers } = await respond('/notes/a/with-author')
  const known = { 'if-none-match': headers?.etag }
  expect(await respond('/notes/a/with-author', known)).toMatchObject({ status: 304 })
  await put(authors, [{ _id: 'ada', name: 'Ada' }])
  expect(await respond('/notes/a/with-author', known)).toMatchObject({ status: 200 })
})

test('a document that touches or the parent does not name is an error, which says where to add it', async () => {
  const answer: ComposedQuery['answer'] = (documents) => documents.get('authors', 'ada') ?? {}
  const peeking = asking([{ answers: 'composed', path: '/peek', touches: () => [], answer }])
  await expect(peeking.get('/peek')).rejects.toThrow(
    'touches names no "ada" of collection authors. Add it to what touches returns.',
  )
  const exists = (documents: DocumentReader) => documents.get('authors', 'ada') !== undefined
  const below = asking([{ ...composed, parent: { touches: () => [], exists } }])
  await expect(below.get('/notes/a/with-author')).rejects.toThrow(
    'parent.touches names no "ada" of collection authors. Add it to what parent.touches returns.',
  )
})
