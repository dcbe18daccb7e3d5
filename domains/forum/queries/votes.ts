import { z } from 'zod'
import { postId, threadId, WRITE } from '../commands.ts'
import { pair } from '../context.ts'
import type { Documents, Kinds } from '../documents.ts'
import { parentThread } from './shapes.ts'

const vote = z.literal([1, 0, -1])
const MAX_POSTS = 100
const ids = z
  .string()
  .max(10_000)
  .transform((value) => value.split(','))
  .pipe(z.array(postId).max(MAX_POSTS))
  .meta({ pattern: `^[\\w-]{1,64}(,[\\w-]{1,64}){0,${MAX_POSTS - 1}}$`, maxLength: 10_000 })

const voteIn = (documents: Documents, post: string, account: string): z.output<typeof vote> =>
  documents.get('votes', pair(post, account))?.value ?? 0

export const votes = ({ composed }: Kinds) => [
  composed({
    path: '/api/forum/threads/{threadId}/posts/{postId}/vote',
    name: 'votes.one',
    summary: 'Your vote on a post, 0 for none',
    scope: WRITE,
    params: z.object({ threadId, postId }),
    item: z.object({ value: vote }),
    parent: parentThread,
    touches: ({ postId }, { id }) => [
      { collection: 'posts', ids: [postId] },
      { collection: 'votes', ids: [pair(postId, id)] },
    ],
    answer(documents, { threadId, postId }, { id }) {
      if (documents.get('posts', postId)?.thread !== threadId) return undefined
      return { value: voteIn(documents, postId, id) }
    },
  }),
  composed({
    path: '/api/forum/votes',
    name: 'votes.list',
    summary: 'Your votes on at most 100 posts, whose ids are separated by commas',
    scope: WRITE,
    params: z.object({ posts: ids }),
    item: z.object({ items: z.array(z.object({ postId: z.string(), value: vote })) }),
    touches: ({ posts }, { id }) => [{ collection: 'votes', ids: posts.map((post) => pair(post, id)) }],
    answer: (documents, { posts }, { id }) => ({
      items: posts.map((postId) => ({ postId, value: voteIn(documents, postId, id) })),
    }),
  }),
]
