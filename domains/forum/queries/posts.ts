import { z } from 'zod'
import type { Fields, Touch, View } from '../../domain.ts'
import type { Query } from '../../query.ts'
import { hasWords, rarestOf } from '../../words.ts'
import { postId, threadId } from '../commands.ts'
import { pair, READ, text, WRITE } from '../here.ts'
import { post, postIn, search, underThread, withThread } from './shapes.ts'

const vote = z.literal([1, 0, -1])
const ids = z
  .string()
  .max(10_000)
  .transform((value) => value.split(','))
  .pipe(z.array(postId).max(100))

const postWithThread = ({ postId }: Fields, _: unknown, documents: View): Touch[] => {
  const found = documents.get('posts', text(postId))
  return [{ collection: 'posts', ids: [text(postId)] }, ...(found ? withThread(found) : [])]
}

/** A post, unless its thread was deleted. */
function postThere(documents: View, id: string) {
  const found = documents.get('posts', id)
  return found && documents.get('threads', text(found.thread)) ? postIn(documents, found) : undefined
}

export const posts = [
  {
    answers: 'page',
    path: '/api/forum/threads/{threadId}/posts',
    name: 'posts.list',
    summary: 'The posts of a thread: the oldest, the newest, the best; those with all of some words',
    scope: READ,
    params: z.object({ order: z.enum(['oldest', 'newest', 'best']).default('oldest'), text: search.optional() }),
    item: post,
    from: 'posts',
    under: underThread,
    index({ order, text }) {
      if (order === 'best') return 'best'
      return text === undefined ? 'thread' : 'threadWords'
    },
    where: ({ threadId = '', order, text }) =>
      order === 'best' || text === undefined ? { thread: threadId } : { thread: threadId, words: rarestOf(text) },
    keep: (document, { text }) => hasWords(document, text),
    newestFirst: ({ order }) => order !== 'oldest',
    join: withThread,
    shape: (document, documents) => postIn(documents, document),
  },
  {
    answers: 'page',
    path: '/api/forum/posts',
    name: 'posts.search',
    summary: 'Posts with all of some words, the newest first',
    scope: READ,
    params: z.object({ text: search }),
    item: post,
    from: 'posts',
    index: 'words',
    where: ({ text }) => ({ words: rarestOf(text) }),
    keep: (document, { text }) => hasWords(document, text),
    newestFirst: true,
    join: withThread,
    shape: (document, documents) =>
      documents.get('threads', text(document.thread)) ? postIn(documents, document) : undefined,
  },
  {
    answers: 'view',
    path: '/api/forum/threads/{threadId}/posts/{postId}',
    name: 'posts.one',
    summary: 'A post',
    scope: READ,
    item: post,
    touches: postWithThread,
    answer: (documents, { threadId, postId }) =>
      documents.get('posts', text(postId))?.thread === threadId ? postThere(documents, text(postId)) : undefined,
  },
  {
    answers: 'view',
    path: '/api/forum/posts/{postId}',
    name: 'posts.byId',
    summary: 'A post, by its id alone',
    scope: READ,
    item: post,
    touches: postWithThread,
    answer: (documents, { postId }) => postThere(documents, text(postId)),
  },
  {
    answers: 'view',
    path: '/api/forum/threads/{threadId}/posts/{postId}/vote',
    name: 'votes.one',
    summary: 'Your vote on a post; 0 is none',
    scope: WRITE,
    params: z.object({ threadId, postId }),
    item: z.object({ value: vote }),
    under: underThread,
    touches: ({ postId }, { id }) => [
      { collection: 'posts', ids: [text(postId)] },
      { collection: 'votes', ids: [pair(text(postId), id)] },
    ],
    answer(documents, { threadId, postId }, { id }) {
      if (documents.get('posts', text(postId))?.thread !== threadId) return undefined
      return { value: documents.get('votes', pair(text(postId), id))?.value ?? 0 }
    },
  },
  {
    answers: 'view',
    path: '/api/forum/votes',
    name: 'votes.list',
    summary: 'Your votes on some posts, 100 at most: their ids, with commas between them',
    scope: WRITE,
    params: z.object({ posts: ids }),
    item: z.object({ items: z.array(z.object({ postId: z.string(), value: vote })) }),
    touches: ({ posts }, { id }) => [{ collection: 'votes', ids: (posts as string[]).map((post) => pair(post, id)) }],
    answer: (documents, { posts }, { id }) => ({
      items: (posts as string[]).map((post) => ({
        postId: post,
        value: documents.get('votes', pair(post, id))?.value ?? 0,
      })),
    }),
  },
] as const satisfies readonly Query[]
