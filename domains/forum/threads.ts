import type { Document, Event, View } from '../domain.ts'
import { folded, trigramsOf, wordsOf } from '../words.ts'
import { text, threadOf } from './context.ts'
import { anonymous, banned, idTaken, notModerator, preconditions } from './rejections.ts'
import type { Projections, Rule } from './rule.ts'

/** A thread. A deleted one has no document: only its events are left, and posts that nobody can read. */
export type Thread = {
  _id: string
  title: string
  words: string[]
  trigrams: string[]
  author: string
  createdAt: string
  /** The time of the newest post, or of the opening if there is no post. */
  lastActivityAt: string
  /** The time when the title or a post was last written, edited or deleted. Votes, moderators and bans do not count. */
  changedAt: string
  /** The number of posts, without deleted ones. */
  posts: number
  moderators: number
}

export const rules = {
  'forum.threads.open': {
    unless: [anonymous, banned, idTaken],
    /** The author becomes the thread's moderator. The first post has the thread's id; without a text there never is one. */
    events: ({ id, actor, data }) => [
      { type: 'forum.thread-opened', data: { title: text(data.title) } },
      { type: 'forum.moderator-appointed', data: { account: actor } },
      ...(data.text === undefined ? [] : [{ type: 'forum.post-written', data: { post: id, text: text(data.text) } }]),
    ],
  },
  'forum.threads.change': {
    unless: [...preconditions, notModerator],
    events: ({ data }) => [{ type: 'forum.thread-changed', data: { title: text(data.title) } }],
  },
  'forum.threads.delete': {
    unless: [...preconditions, notModerator],
    events: () => [{ type: 'forum.thread-deleted', data: {} }],
  },
} satisfies { [type: string]: Rule }

export const projections: Projections = {
  'forum.thread-opened': ({ stream, actor, time, data }) => {
    const thread: Thread = {
      _id: threadOf(stream),
      ...titleOf(data.title),
      author: actor,
      createdAt: time,
      lastActivityAt: time,
      changedAt: time,
      posts: 0,
      moderators: 0,
    }
    return [{ collection: 'threads', document: thread }]
  },
  'forum.thread-changed': (event, documents) => [
    updateThread(event, documents, () => ({ ...titleOf(event.data.title), changedAt: event.time })),
  ],
  'forum.thread-deleted': ({ stream }) => [{ collection: 'threads', remove: threadOf(stream) }],
}

const titleOf = (title: Document[string] | undefined) => ({
  title: text(title),
  words: wordsOf(text(title)),
  trigrams: trigramsOf(folded(text(title))),
})

/** The change of an event's thread. */
export function updateThread({ stream }: Event, documents: View, change: (thread: Thread) => Partial<Thread>) {
  const thread = documents.get('threads', threadOf(stream)) as Thread
  return { collection: 'threads', document: { ...thread, ...change(thread) } }
}
