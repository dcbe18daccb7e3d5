import type { Document, Event, View } from '../domain.ts'
import { wordsOf } from '../words.ts'
import { text, threadOf } from './here.ts'
import { anonymous, banned, notModerator, outside, taken } from './refusals.ts'
import type { Projections, Rule } from './rule.ts'

/** A deleted thread has no document any more: all that is left are its events, and posts that nobody gets to see. */
export type Thread = {
  _id: string
  title: string
  words: string[]
  author: string
  createdAt: string
  /** The time of the newest post; without a post, when the thread was opened. */
  lastActivityAt: string
  /** When the title or a post was last written, edited or deleted. Votes, moderators and bans change neither. */
  changedAt: string
  /** How many there are, without deleted ones. */
  posts: number
  moderators: number
}

export const rules = {
  'forum.threads.open': {
    unless: [anonymous, banned, taken],
    /**
     * Who opens a thread moderates it. The first post has the thread's id. A thread that is opened without a text never has a
     * first post: later posts are ordinary ones.
     */
    happens: ({ id, actor, data }) => [
      { type: 'forum.thread-opened', data: { title: text(data.title) } },
      { type: 'forum.moderator-appointed', data: { account: actor } },
      ...(data.text === undefined ? [] : [{ type: 'forum.post-written', data: { post: id, text: text(data.text) } }]),
    ],
  },
  'forum.threads.change': {
    unless: [...outside, notModerator],
    happens: ({ data }) => [{ type: 'forum.thread-changed', data: { title: text(data.title) } }],
  },
  'forum.threads.delete': {
    unless: [...outside, notModerator],
    happens: () => [{ type: 'forum.thread-deleted', data: {} }],
  },
} satisfies { [type: string]: Rule }

export const projections: Projections = {
  'forum.thread-opened': ({ stream, actor, time, data }) => {
    const thread: Thread = {
      _id: threadOf(stream),
      ...titled(data.title),
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
    changed(event, documents, () => ({ ...titled(event.data.title), changedAt: event.time })),
  ],
  'forum.thread-deleted': ({ stream }) => [{ collection: 'threads', remove: threadOf(stream) }],
}

const titled = (title: Document[string] | undefined) => ({ title: text(title), words: wordsOf(text(title)) })

/** The thread that an event is about, with what the event changes in it. */
export function changed({ stream }: Event, documents: View, change: (thread: Thread) => Partial<Thread>) {
  const thread = documents.get('threads', threadOf(stream)) as Thread
  return { collection: 'threads', document: { ...thread, ...change(thread) } }
}
