import type { ChangeOf, Collections, DocumentOf, DocumentsOf, QueryKinds } from 'millrace'
import { z } from 'zod'
import type { events } from './events.ts'

const words = z.array(z.string())
const trigrams = z.array(z.string())
const time = z.iso.datetime()
const reason = z.string().exactOptional()

/** A thread. A deleted one has no document: only its events are left, and posts that nobody can read. */
const thread = z.object({
  title: z.string(),
  words,
  trigrams,
  author: z.string(),
  createdAt: time,
  /** The time of the newest post, or of the opening if there is no post. */
  lastActivityAt: time,
  /**
   * The time when the title or a post was last written, edited or deleted. Votes, moderators and bans do not count. Threads that
   * were last written before `changedAt` was introduced have none.
   */
  changedAt: time.exactOptional(),
  /** The number of posts, without deleted ones. */
  posts: z.int(),
  moderators: z.int(),
})

const post = z.object({
  thread: z.string(),
  author: z.string(),
  /** The text; empty in a deleted post, which keeps its place. Only the events still have it. */
  text: z.string(),
  words,
  createdAt: time,
  editedAt: time.nullable(),
  up: z.int(),
  down: z.int(),
  score: z.int(),
  isDeleted: z.boolean(),
})

/**
 * The index of a post's text by substrings. It is several times as large as the text, so it is a document of its own: votes do
 * not write it, and pages of posts do not read it. A deleted post has none.
 */
const postBeginning = z.object({ beginning: z.string(), trigrams, createdAt: time })

/** An account's vote on a post. A vote that was taken back has no document. */
const vote = z.object({ value: z.literal([1, -1]) })

/** A mark on an account in a thread: it moderates the thread, or it is banned from it, never both. */
const mark = z.object({ thread: z.string(), account: z.string(), by: z.string(), since: time, reason })

/** A ban from every thread. The account need not exist yet. */
const siteBan = z.object({ by: z.string(), since: time, reason })

/** An account. Its id is the subject of the token. */
const account = z.object({ name: z.string(), words, email: z.string().nullable(), createdAt: time })

/** No document grows with its thread: each post, vote, moderator and ban has a document of its own. */
export const collections = {
  threads: {
    schema: thread,
    indexes: {
      recent: { fields: ['lastActivityAt'] },
      changed: { fields: ['changedAt'] },
      active: { fields: ['posts'] },
      created: { fields: ['createdAt'] },
      author: { fields: ['author', 'createdAt'] },
      words: { fields: ['words', 'createdAt'], each: 'words' },
      trigrams: { fields: ['trigrams', 'createdAt'], each: 'trigrams' },
    },
  },
  posts: {
    schema: post,
    indexes: {
      thread: { fields: ['thread', 'createdAt'] },
      best: { fields: ['thread', 'score', 'createdAt'] },
      words: { fields: ['words', 'createdAt'], each: 'words' },
      threadWords: { fields: ['thread', 'words', 'createdAt'], each: 'words' },
    },
  },
  postBeginnings: {
    schema: postBeginning,
    indexes: { trigrams: { fields: ['trigrams', 'createdAt'], each: 'trigrams' } },
  },
  votes: { schema: vote, indexes: {} },
  moderators: { schema: mark, indexes: { thread: { fields: ['thread', 'since'] } } },
  bans: { schema: mark, indexes: { thread: { fields: ['thread', 'since'] } } },
  siteBans: { schema: siteBan, indexes: { time: { fields: ['since'] } } },
  accounts: { schema: account, indexes: { words: { fields: ['words', 'name'], each: 'words' } } },
} as const satisfies Collections

export type Thread = DocumentOf<typeof collections, 'threads'>
export type Post = DocumentOf<typeof collections, 'posts'>
export type PostBeginning = DocumentOf<typeof collections, 'postBeginnings'>
export type Vote = DocumentOf<typeof collections, 'votes'>
export type Mark = DocumentOf<typeof collections, 'moderators'>
export type SiteBan = DocumentOf<typeof collections, 'siteBans'>
export type Account = DocumentOf<typeof collections, 'accounts'>
export type Documents = DocumentsOf<typeof collections>
export type Change = ChangeOf<typeof collections>
export type Kinds = QueryKinds<typeof collections, typeof events>

/** The document that an event changes. Throws if there is none, which is a bug of the rules. */
export function existing<Name extends keyof typeof collections>(
  documents: Documents,
  collection: Name,
  id: string,
): DocumentOf<typeof collections, Name> {
  const document = documents.get(collection, id)
  if (!document) throw new Error(`the event changes ${id} of ${collection}, but there is no such document`)
  return document
}
