import { z } from 'zod'
import type { Document, Fields, Touch, View } from '../../domain.ts'
import type { Query } from '../../query.ts'
import { folded, hasWords, rarestOf, rarestTrigramOf, wordsOf } from '../../words.ts'
import { postId, threadId } from '../commands.ts'
import { pair, READ, text, WRITE } from '../context.ts'
import { beginningOf } from '../posts.ts'
import { parentThread, post, postIn, search, substring, withThread } from './shapes.ts'

const vote = z.literal([1, 0, -1])
const MAX_POSTS = 100
const ids = z
  .string()
  .max(10_000)
  .transform((value) => value.split(','))
  .pipe(z.array(postId).max(MAX_POSTS))
  .meta({ pattern: `^[\\w-]{1,64}(,[\\w-]{1,64}){0,${MAX_POSTS - 1}}$`, maxLength: 10_000 })

const postWithThread = ({ postId }: Fields, _: unknown, documents: View): Touch[] => {
  const found = documents.get('posts', text(postId))
  return [{ collection: 'posts', ids: [text(postId)] }, ...(found ? withThread(found) : [])]
}

/** A post as a client reads it, or undefined if its thread was deleted. */
function visiblePost(documents: View, found: Document | undefined) {
  return found && documents.get('threads', text(found.thread)) ? postIn(documents, found) : undefined
}

/** True for a post, false for a PostBeginning. */
const isPost = ({ thread }: Document): boolean => thread !== undefined

const isFound = (post: Document, { text: words, textContains }: Fields): boolean =>
  hasWords(post, words) &&
  (textContains === undefined || beginningOf(text(post.text)).includes(folded(text(textContains))))

export const posts = [
  {
    answers: 'page',
    path: '/api/forum/threads/{threadId}/posts',
    name: 'posts.list',
    summary: 'The posts of a thread by age or score, filtered by words or a substring',
    scope: READ,
    params: z.object({
      order: z.enum(['oldest', 'newest', 'best']).default('oldest'),
      text: search.optional(),
      textContains: substring.optional(),
    }),
    item: post,
    from: 'posts',
    parent: parentThread,
    index({ order, text }) {
      if (order === 'best') return 'best'
      return text === undefined ? 'thread' : 'threadWords'
    },
    where: ({ threadId = '', order, text }) =>
      order === 'best' || text === undefined ? { thread: threadId } : { thread: threadId, words: rarestOf(text) },
    keep: isFound,
    newestFirst: ({ order }) => order !== 'oldest',
    numbered: {
      sorts: { createdAt: { order: 'oldest' }, score: { order: 'best' } },
      isByIndex: ({ order, text: words, textContains }) =>
        textContains === undefined && (words === undefined || (order !== 'best' && wordsOf(text(words)).length === 1)),
    },
    join: withThread,
    shape: (document, { documents }) => postIn(documents, document),
  },
  {
    answers: 'page',
    path: '/api/forum/posts',
    name: 'posts.search',
    summary: 'Posts of all threads that contain some words or a substring, newest first',
    scope: READ,
    params: z
      .object({ text: search.optional(), textContains: substring.optional() })
      .refine(({ text, textContains }) => text !== undefined || textContains !== undefined, {
        error: 'needs text or textContains',
      }),
    item: post,
    /** Words find the posts themselves, a substring finds their PostBeginnings. */
    from: ({ text }) => (text === undefined ? 'postBeginnings' : 'posts'),
    index: ({ text }) => (text === undefined ? 'trigrams' : 'words'),
    where: ({ text, textContains }) =>
      text === undefined ? { trigrams: rarestTrigramOf(textContains) } : { words: rarestOf(text) },
    keep: (document, asked) =>
      asked.text === undefined
        ? text(document.beginning).includes(folded(text(asked.textContains)))
        : isFound(document, asked),
    newestFirst: true,
    numbered: { sorts: { createdAt: {} } },
    join(document, documents) {
      if (isPost(document)) return withThread(document)
      const found = documents.get('posts', document._id)
      return [{ collection: 'posts', ids: [document._id] }, ...(found ? withThread(found) : [])]
    },
    shape: (document, { documents }) =>
      visiblePost(documents, isPost(document) ? document : documents.get('posts', document._id)),
  },
  {
    answers: 'view',
    path: '/api/forum/threads/{threadId}/posts/{postId}',
    name: 'posts.one',
    summary: 'A post',
    scope: READ,
    item: post,
    touches: postWithThread,
    answer(documents, { threadId, postId }) {
      const found = documents.get('posts', text(postId))
      return found?.thread === threadId ? visiblePost(documents, found) : undefined
    },
  },
  {
    answers: 'view',
    path: '/api/forum/posts/{postId}',
    name: 'posts.byId',
    summary: 'A post by its id alone',
    scope: READ,
    item: post,
    touches: postWithThread,
    answer: (documents, { postId }) => visiblePost(documents, documents.get('posts', text(postId))),
  },
  {
    answers: 'view',
    path: '/api/forum/threads/{threadId}/posts/{postId}/vote',
    name: 'votes.one',
    summary: 'Your vote on a post, 0 for none',
    scope: WRITE,
    params: z.object({ threadId, postId }),
    item: z.object({ value: vote }),
    parent: parentThread,
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
    summary: 'Your votes on at most 100 posts, whose ids are separated by commas',
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
