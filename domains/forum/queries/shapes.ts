import { z } from 'zod'
import type { Document, Fields, Touch, View } from '../../domain.ts'
import { wordsOf } from '../../words.ts'
import type { Account } from '../accounts.ts'
import { text } from '../here.ts'
import type { Post } from '../posts.ts'
import type { Thread } from '../threads.ts'

/** What several queries have in common. */

const count = z.int().min(0)
export const time = z.iso.datetime()

export const person = z.object({
  id: z.string(),
  name: z.string().nullable().describe('null where it is not known yet'),
})

export const post = z.object({
  id: z.string(),
  threadId: z.string(),
  author: person,
  text: z.string().describe('Nothing of a deleted post'),
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
  lastActivityAt: time.describe('When the newest post was written'),
  changedAt: time.describe('When the title or a post was last written, edited or deleted'),
  posts: count,
  moderators: count,
  firstPost: post.nullable().describe('null: the thread was opened without a text'),
})

/** A name is its owner's to change: it is never copied, but joined where it is read. */
export const personIn = (documents: View, id: string) => {
  const account = documents.get('accounts', id) as Account | undefined
  return { id, name: account?.name ?? null }
}

export function postIn(documents: View, document: Document) {
  const { _id: id, thread: threadId, author, words, ...rest } = document as Post
  return { id, threadId, author: personIn(documents, author), ...rest }
}

/** A post outlives its thread: only whether that is there tells whether the post is to be seen. */
export const withThread = ({ author, thread }: Fields): Touch[] => [
  { collection: 'accounts', ids: [text(author)] },
  { collection: 'threads', ids: [text(thread)] },
]

/** The first post has the thread's id, and its author. */
export const withFirstPost = ({ _id, author }: Document): Touch[] => [
  { collection: 'posts', ids: [_id] },
  { collection: 'accounts', ids: [text(author)] },
]

export function threadIn(documents: View, document: Document) {
  // Threads that were last written before `changedAt` was kept have none.
  const { _id: id, author, words, changedAt, ...rest } = document as Omit<Thread, 'changedAt'> & Partial<Thread>
  const first = documents.get('posts', id)
  // A post of another thread can have this id, where a key was used again after the horizon.
  const firstPost = first?.thread === id ? postIn(documents, first) : null
  return { id, author: personIn(documents, author), ...rest, changedAt: changedAt ?? rest.lastActivityAt, firstPost }
}

/** What there is to read in a thread goes with it. */
export const underThread = {
  touches: ({ threadId }: Fields): Touch[] => [{ collection: 'threads', ids: [text(threadId)] }],
  isThere: (documents: View, { threadId }: Fields) => documents.get('threads', text(threadId)) !== undefined,
}

/** Words that are looked for, all of them, in any order. */
export const search = z
  .string()
  .max(500)
  .refine((value) => wordsOf(value).length > 0, { error: 'has no word in it' })
