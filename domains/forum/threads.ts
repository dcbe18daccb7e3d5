import { folded, trigramsOf, wordsOf } from 'millrace'
import { type Projections, type Rules, threadOf } from './context.ts'
import { type Change, type Documents, existing, type Thread } from './documents.ts'
import { anonymous, banned, ID_TAKEN, notModerator, preconditions } from './rejections.ts'

export const rules = {
  'forum.threads.open': {
    unless: [anonymous, banned, (_, { thread, post }) => (thread !== undefined || post !== undefined) && ID_TAKEN],
    /** The author becomes the thread's moderator. The first post has the thread's id; without a text there never is one. */
    events: ({ id, actor, data: { title, text } }) => [
      { type: 'forum.thread-opened', data: { title } },
      { type: 'forum.moderator-appointed', data: { account: actor } },
      ...(text === undefined ? [] : [{ type: 'forum.post-written' as const, data: { post: id, text } }]),
    ],
  },
  'forum.threads.change': {
    unless: [...preconditions, notModerator],
    events: ({ data: { title } }) => [{ type: 'forum.thread-changed', data: { title } }],
  },
  'forum.threads.delete': {
    unless: [...preconditions, notModerator],
    events: () => [{ type: 'forum.thread-deleted', data: {} }],
  },
} satisfies Partial<Rules>

export const projections = {
  'forum.thread-opened': ({ stream, actor, time, data }) => [
    {
      collection: 'threads',
      document: {
        _id: threadOf(stream),
        ...titleOf(data.title),
        author: actor,
        createdAt: time,
        lastActivityAt: time,
        changedAt: time,
        posts: 0,
        moderators: 0,
      },
    },
  ],
  'forum.thread-changed': (event, documents) => [
    updateThread(event, documents, () => ({ ...titleOf(event.data.title), changedAt: event.time })),
  ],
  'forum.thread-deleted': ({ stream }) => [{ collection: 'threads', remove: threadOf(stream) }],
} satisfies Partial<Projections>

const titleOf = (title: string) => ({ title, words: wordsOf(title), trigrams: trigramsOf(folded(title)) })

/** The change of an event's thread. */
export function updateThread(
  { stream }: { stream: string },
  documents: Documents,
  change: (thread: Thread) => Partial<Thread>,
): Change {
  const thread = existing(documents, 'threads', threadOf(stream))
  return { collection: 'threads', document: { ...thread, ...change(thread) } }
}
