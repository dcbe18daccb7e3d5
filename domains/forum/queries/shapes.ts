import { folded, trigramsOf, wordsOf } from 'millrace'
import { z } from 'zod'
import type { Documents, Post, Thread } from '../documents.ts'

/** The answers and parameters that several queries share. */

const count = z.int().min(0)
export const time = z.iso.datetime()

export const person = z.object({
  id: z.string(),
  name: z.string().nullable().describe('null: not known yet'),
})

export const post = z.object({
  id: z.string(),
  threadId: z.string(),
  author: person,
  text: z.string().describe('Empty for a deleted post'),
  createdAt: time,
  editedAt: time.nullable(),
  up: count,
  down: count,
  score: z.int(),
  isDeleted: z.boolean(),
})

export const thread = z.object({
  id: z.string(),
  title: z.string(),
  author: person,
  createdAt: time,
  lastActivityAt: time.describe('Time of the newest post'),
  changedAt: time.describe('Time when the title or a post was last written, edited or deleted'),
  posts: count,
  moderators: count,
  firstPost: post.nullable().describe('null: the thread was opened without a text'),
})

/** A person with the current name. Its owner may change it, so it is joined on reading and never copied. */
export const personIn = (documents: Documents, id: string) => ({
  id,
  name: documents.get('accounts', id)?.name ?? null,
})

export function postIn(documents: Documents, document: Post) {
  const { _id: id, thread: threadId, author, words, ...rest } = document
  return { id, threadId, author: personIn(documents, author), ...rest }
}

/** The documents that a post is shown with. A post outlives its thread, and is visible only while the thread exists. */
export const withThread = ({ author, thread }: Post) => [
  { collection: 'accounts' as const, ids: [author] },
  { collection: 'threads' as const, ids: [thread] },
]

/** The documents that a thread is shown with. The first post has the thread's id and author. */
export const withFirstPost = ({ _id, author }: Thread) => [
  { collection: 'posts' as const, ids: [_id] },
  { collection: 'accounts' as const, ids: [author] },
]

export function threadIn(documents: Documents, document: Thread) {
  const { _id: id, author, words, trigrams, changedAt, ...rest } = document
  const first = documents.get('posts', id)
  // A post of another thread can have this id, if a key was used again after the horizon.
  const firstPost = first?.thread === id ? postIn(documents, first) : null
  return { id, author: personIn(documents, author), ...rest, changedAt: changedAt ?? rest.lastActivityAt, firstPost }
}

/** The thread in the path, without which nothing in it is readable. */
export const parentThread = {
  touches: ({ threadId }: { threadId: string }) => [{ collection: 'threads' as const, ids: [threadId] }],
  exists: (documents: Documents, { threadId }: { threadId: string }) =>
    documents.get('threads', threadId) !== undefined,
}

/** A search for all of these words, in any order. */
export const search = z
  .string()
  .max(500)
  .refine((value) => wordsOf(value).length > 0, { error: 'must contain a word' })

/** A search for these characters as they are, in any case. */
export const substring = z
  .string()
  .max(256)
  .refine((value) => trigramsOf(folded(value)).length > 0, { error: 'must contain three letters or digits in a row' })
