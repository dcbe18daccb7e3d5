import { folded, hasWords, rarestOf, rarestTrigramOf, wordsOf } from 'millrace'
import { z } from 'zod'
import { READ } from '../commands.ts'
import type { Documents, Kinds, Post, PostBeginning } from '../documents.ts'
import { beginningOf } from '../posts.ts'
import { parentThread, post, postIn, search, substring, withThread } from './shapes.ts'

const sought = z.object({ text: search.optional(), textContains: substring.optional() })
type Sought = z.output<typeof sought>

/** The documents of a post that is found by its id. */
function postWithThread({ postId }: { postId: string }, _: unknown, documents: Documents) {
  const found = documents.get('posts', postId)
  return [{ collection: 'posts' as const, ids: [postId] }, ...(found ? withThread(found) : [])]
}

/** A post as a client reads it, or undefined if its thread was deleted. */
const visiblePost = (documents: Documents, found: Post | undefined) =>
  found && documents.get('threads', found.thread) ? postIn(documents, found) : undefined

const isPost = (document: Post | PostBeginning): document is Post => 'thread' in document

const isFound = (post: Post, { text, textContains }: Sought): boolean =>
  hasWords(post, text) && (textContains === undefined || beginningOf(post.text).includes(folded(textContains)))

export const postLists = ({ page }: Kinds) => [
  page({
    path: '/api/forum/threads/{threadId}/posts',
    name: 'posts.list',
    summary: 'The posts of a thread by age or score, filtered by words or a substring',
    scope: READ,
    params: z.object({ order: z.enum(['oldest', 'newest', 'best']).default('oldest'), ...sought.shape }),
    item: post,
    from: 'posts',
    parent: parentThread,
    index({ order, text }) {
      if (order === 'best') return 'best'
      return text === undefined ? 'thread' : 'threadWords'
    },
    where: ({ threadId, order, text }) =>
      order === 'best' || text === undefined ? { thread: threadId } : { thread: threadId, words: rarestOf(text) },
    keep: isFound,
    newestFirst: ({ order }) => order !== 'oldest',
    numbered: {
      sorts: { createdAt: { order: 'oldest' }, score: { order: 'best' } },
      isByIndex: ({ order, text, textContains }) =>
        textContains === undefined && (text === undefined || (order !== 'best' && wordsOf(text).length === 1)),
    },
    join: withThread,
    shape: (document, { documents }) => postIn(documents, document),
  }),
  page({
    path: '/api/forum/posts',
    name: 'posts.search',
    summary: 'Posts of all threads that contain some words or a substring, newest first',
    scope: READ,
    params: sought.refine(({ text, textContains }) => text !== undefined || textContains !== undefined, {
      error: 'needs text or textContains',
    }),
    item: post,
    /** Words find the posts themselves, a substring finds their PostBeginnings. */
    from: ({ text }) => (text === undefined ? 'postBeginnings' : 'posts'),
    index: ({ text }) => (text === undefined ? 'trigrams' : 'words'),
    where: ({ text, textContains = '' }) =>
      text === undefined ? { trigrams: rarestTrigramOf(textContains) } : { words: rarestOf(text) },
    keep: (document, asked) =>
      isPost(document) ? isFound(document, asked) : document.beginning.includes(folded(asked.textContains ?? '')),
    newestFirst: true,
    numbered: { sorts: { createdAt: {} } },
    join: (document, documents) =>
      isPost(document) ? withThread(document) : postWithThread({ postId: document._id }, undefined, documents),
    shape: (document, { documents }) =>
      visiblePost(documents, isPost(document) ? document : documents.get('posts', document._id)),
  }),
]

export const composedPosts = ({ composed }: Kinds) => [
  composed({
    path: '/api/forum/threads/{threadId}/posts/{postId}',
    name: 'posts.one',
    summary: 'A post',
    scope: READ,
    item: post,
    touches: postWithThread,
    answer(documents, { threadId, postId }) {
      const found = documents.get('posts', postId)
      return found?.thread === threadId ? visiblePost(documents, found) : undefined
    },
  }),
  composed({
    path: '/api/forum/posts/{postId}',
    name: 'posts.byId',
    summary: 'A post by its id alone',
    scope: READ,
    item: post,
    touches: postWithThread,
    answer: (documents, { postId }) => visiblePost(documents, documents.get('posts', postId)),
  }),
]
