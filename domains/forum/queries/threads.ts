import { z } from 'zod'
import type { Document, Event, Fields } from '../../domain.ts'
import { bound } from '../../moment.ts'
import type { Query } from '../../query.ts'
import { contains, hasWords, rarestOf, rarestTrigramOf, wordsOf } from '../../words.ts'
import { READ, text } from '../context.ts'
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

const OWN_ORDERS = ['recent', 'changed', 'active']

/** An order with an index of its own takes precedence over the narrowing parameters. */
function index({ title, titleContains, author, from, to, order }: Fields): string {
  if (OWN_ORDERS.includes(text(order))) return text(order)
  if (title !== undefined) return 'words'
  if (titleContains !== undefined) return 'trigrams'
  if (author !== undefined) return 'author'
  return order === undefined && from === undefined && to === undefined ? 'recent' : 'created'
}

function where(asked: Fields): Fields {
  switch (index(asked)) {
    case 'words':
      return { words: rarestOf(asked.title) }
    case 'trigrams':
      return { trigrams: rarestTrigramOf(asked.titleContains) }
    case 'author':
      return { author: asked.author ?? '' }
    default:
      return {}
  }
}

const keep = (thread: Document, { title, titleContains, author, from, to }: Fields): boolean =>
  hasWords(thread, title) &&
  contains(text(thread.title), titleContains) &&
  (author === undefined || thread.author === author) &&
  (from === undefined || text(thread.createdAt) >= text(from)) &&
  (to === undefined || text(thread.createdAt) < text(to))

/** True when the index alone finds exactly what the parameters ask for. */
function isByIndex(asked: Fields): boolean {
  const { title, titleContains, author, from, to } = asked
  if (titleContains !== undefined) return false
  switch (index(asked)) {
    case 'words':
      return author === undefined && wordsOf(text(title)).length === 1
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
function publicEvent({ number, type, time, actor, data: { title, text, value, reason, ...data } }: Event) {
  return { number, type, time, actor: type === 'forum.vote-cast' ? null : actor, data }
}

export const threads = [
  {
    answers: 'page',
    path: '/api/forum/threads',
    name: 'threads.list',
    summary: 'Threads with their first posts, by activity, change, posts or age, filtered by title, author and time',
    overview: { part: 'threads', params: () => ({ order: 'active', limit: '10' }) },
    scope: READ,
    params: listing,
    item: thread,
    from: 'threads',
    index,
    where,
    range: (asked) => (OWN_ORDERS.includes(index(asked)) ? {} : { from: asked.from as string, to: asked.to as string }),
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
  },
  {
    answers: 'view',
    path: '/api/forum/threads/{threadId}',
    name: 'threads.one',
    summary: 'A thread with its first post',
    scope: READ,
    item: thread,
    touches(asked, _, documents) {
      const found = documents.get('threads', text(asked.threadId))
      return [...parentThread.touches(asked), ...(found ? withFirstPost(found) : [])]
    },
    answer(documents, { threadId }) {
      const found = documents.get('threads', text(threadId))
      return found && threadIn(documents, found)
    },
  },
  {
    answers: 'history',
    path: '/api/forum/threads/{threadId}/history',
    name: 'threads.history',
    summary: 'The events of a thread, without titles and texts',
    scope: READ,
    item: threadEvent,
    parent: parentThread,
    stream: ({ threadId }) => `thread/${threadId}`,
    shape: publicEvent,
  },
  {
    answers: 'live',
    path: '/api/forum/threads/{threadId}/live',
    name: 'threads.live',
    summary: 'New events of a thread as server-sent events, without titles and texts',
    scope: READ,
    item: threadEvent,
    of: 'events',
    parent: parentThread,
    keep: ({ stream }, { threadId }) => stream === `thread/${threadId}`,
    shape: (inserted) => publicEvent(inserted as unknown as Event),
  },
] as const satisfies readonly Query[]
