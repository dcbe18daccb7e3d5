import { bound, contains, type EventOf, hasWords, rarestOf, rarestTrigramOf, wordsOf } from 'millrace'
import { z } from 'zod'
import { READ } from '../commands.ts'
import type { Kinds, Thread } from '../documents.ts'
import type { events } from '../events.ts'
import { parentThread, search, substring, thread, threadIn, time, withFirstPost } from './shapes.ts'

const listing = z.object({
  /** Words that the title must have. */
  title: search.optional(),
  titleContains: substring.optional(),
  author: z.string().min(1).max(200).optional(),
  /** The bounds of the opening time. */
  from: bound.optional(),
  to: bound.optional(),
  /** `active` means most posts. The default is `recent`, but `newest` if another parameter narrows the list. */
  order: z.enum(['recent', 'changed', 'active', 'newest', 'oldest']).optional(),
})
type Listing = z.output<typeof listing>

const OWN_ORDERS = ['recent', 'changed', 'active'] as const

/** The index that the list is read by. An order with an index of its own takes precedence over the narrowing parameters. */
function choose({ title, titleContains, author, from, to, order }: Listing) {
  const own = OWN_ORDERS.find((own) => own === order)
  if (own) return { index: own, where: {}, range: {} }
  const range = { from, to }
  if (title !== undefined) return { index: 'words', where: { words: rarestOf(title) }, range } as const
  if (titleContains !== undefined)
    return { index: 'trigrams', where: { trigrams: rarestTrigramOf(titleContains) }, range } as const
  if (author !== undefined) return { index: 'author', where: { author }, range } as const
  const isNarrowed = order !== undefined || from !== undefined || to !== undefined
  return { index: isNarrowed ? 'created' : 'recent', where: {}, range } as const
}

const keep = (thread: Thread, { title, titleContains, author, from, to }: Listing): boolean =>
  hasWords(thread, title) &&
  contains(thread.title, titleContains) &&
  (author === undefined || thread.author === author) &&
  (from === undefined || thread.createdAt >= from) &&
  (to === undefined || thread.createdAt < to)

/** True when the index alone finds exactly what the parameters ask for. */
function isByIndex(asked: Listing): boolean {
  const { title, titleContains, author, from, to } = asked
  if (titleContains !== undefined) return false
  switch (choose(asked).index) {
    case 'words':
      return title !== undefined && author === undefined && wordsOf(title).length === 1
    case 'author':
    case 'created':
      return true
    default:
      return [title, author, from, to].every((narrowing) => narrowing === undefined)
  }
}

const threadEvent = z.object({
  number: z.int().min(1),
  type: z.string(),
  time,
  actor: z.string().nullable().describe('null for a vote, which is anonymous'),
  data: z.record(z.string(), z.json()),
})

/** An event without titles and texts, which may have been moderated since, without voters and without reasons of bans. */
function publicEvent({ number, type, time, actor, data }: EventOf<typeof events>) {
  return { number, type, time, actor: type === 'forum.vote-cast' ? null : actor, data: publicData(data) }
}

function publicData(data: EventOf<typeof events>['data']) {
  if ('post' in data) return { post: data.post }
  return 'account' in data ? { account: data.account } : {}
}

const ofThread = { scope: READ, parent: parentThread } as const

export const threads = ({ page, composed, history, live }: Kinds) => [
  page({
    path: '/api/forum/threads',
    name: 'threads.list',
    summary: 'Threads with their first posts, by activity, change, posts or age, filtered by title, author and time',
    overview: { part: 'threads', params: () => ({ order: 'active', limit: '10' }) },
    scope: READ,
    params: listing,
    item: thread,
    from: 'threads',
    index: (asked) => choose(asked).index,
    where: (asked) => choose(asked).where,
    range: (asked) => choose(asked).range,
    keep,
    newestFirst: ({ order }) => order !== 'oldest',
    numbered: {
      sorts: {
        createdAt: { order: 'newest' },
        lastActivityAt: { order: 'recent' },
        changedAt: { order: 'changed' },
        posts: { order: 'active' },
      },
      isByIndex,
    },
    join: withFirstPost,
    shape: (document, { documents }) => threadIn(documents, document),
  }),
  composed({
    path: '/api/forum/threads/{threadId}',
    name: 'threads.one',
    summary: 'A thread with its first post',
    scope: READ,
    item: thread,
    touches(asked, _, documents) {
      const found = documents.get('threads', asked.threadId)
      return [...parentThread.touches(asked), ...(found ? withFirstPost(found) : [])]
    },
    answer(documents, { threadId }) {
      const found = documents.get('threads', threadId)
      return found && threadIn(documents, found)
    },
  }),
  history({
    ...ofThread,
    path: '/api/forum/threads/{threadId}/history',
    name: 'threads.history',
    summary: 'The events of a thread, without titles and texts',
    item: threadEvent,
    stream: ({ threadId }) => `thread/${threadId}`,
    shape: publicEvent,
  }),
  live({
    ...ofThread,
    path: '/api/forum/threads/{threadId}/live',
    name: 'threads.live',
    summary: 'New events of a thread as server-sent events, without titles and texts',
    item: threadEvent,
    of: 'events',
    keep: ({ stream }, { threadId }) => stream === `thread/${threadId}`,
    shape: publicEvent,
  }),
]
