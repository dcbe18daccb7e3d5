import type { View } from '../domain.ts'
import { wordsOf } from '../words.ts'
import { text, threadOf } from './here.ts'
import { noPost, outside } from './refusals.ts'
import type { Projections, Refusal, Rule } from './rule.ts'
import { changed as changedThread } from './threads.ts'

export type Post = {
  _id: string
  thread: string
  author: string
  /** Nothing in a deleted post, which keeps its place; only the events still have it. */
  text: string
  words: string[]
  createdAt: string
  editedAt: string | null
  up: number
  down: number
  score: number
  isDeleted: boolean
}

/** By how many words a post is found: most have fewer. */
const MOST_WORDS = 1000

const notAuthor: Refusal = ({ post, actor }) => post?.author !== actor.id && 'only its author may edit a post'

const notAuthorNorModerator: Refusal = ({ post, actor }) =>
  post?.author !== actor.id &&
  !actor.isModerator &&
  !actor.isAdministrator &&
  'only its author or a moderator of the thread may delete a post'

/** A key was used again after the horizon, so its id came back. A thread without a first post gets none this way. */
const written: Refusal = ({ thread, post }, { id }) =>
  (post !== undefined || thread?._id === id) && 'there is a post or a thread with this id already'

export const rules = {
  'forum.posts.write': {
    unless: [...outside, written],
    happens: ({ id, data }) => [{ type: 'forum.post-written', data: { post: id, text: text(data.text) } }],
  },
  'forum.posts.edit': {
    unless: [...outside, noPost, notAuthor],
    happens: ({ data }) => [{ type: 'forum.post-edited', data: { post: text(data.postId), text: text(data.text) } }],
  },
  'forum.posts.delete': {
    unless: [...outside, noPost, notAuthorNorModerator],
    happens: ({ data }) => [{ type: 'forum.post-deleted', data: { post: text(data.postId) } }],
  },
} satisfies { [type: string]: Rule }

export const projections: Projections = {
  'forum.post-written': (event, documents) => {
    const { stream, actor, time, data } = event
    const post: Post = {
      _id: text(data.post),
      thread: threadOf(stream),
      author: actor,
      ...said(text(data.text)),
      createdAt: time,
      editedAt: null,
      up: 0,
      down: 0,
      score: 0,
      isDeleted: false,
    }
    return [
      { collection: 'posts', document: post },
      changedThread(event, documents, ({ posts }) => ({ posts: posts + 1, lastActivityAt: time, changedAt: time })),
    ]
  },
  'forum.post-edited': (event, documents) => [
    changed(text(event.data.post), documents, () => ({ ...said(text(event.data.text)), editedAt: event.time })),
    changedThread(event, documents, () => ({ changedAt: event.time })),
  ],
  'forum.post-deleted': (event, documents) => [
    changed(text(event.data.post), documents, () => ({ ...said(''), isDeleted: true })),
    changedThread(event, documents, ({ posts }) => ({ posts: posts - 1, changedAt: event.time })),
  ],
}

const said = (text: string) => ({ text, words: wordsOf(text, MOST_WORDS) })

/** A post, with what an event changes in it. */
export function changed(id: string, documents: View, change: (post: Post) => Partial<Post>) {
  const post = documents.get('posts', id) as Post
  return { collection: 'posts', document: { ...post, ...change(post) } }
}
