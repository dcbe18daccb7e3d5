import type { View } from '../domain.ts'
import { folded, trigramsOf, wordsOf } from '../words.ts'
import { text, threadOf } from './context.ts'
import { noPost, preconditions } from './rejections.ts'
import type { Projections, Rejection, Rule } from './rule.ts'
import { updateThread } from './threads.ts'

export type Post = {
  _id: string
  thread: string
  author: string
  /** The text; empty in a deleted post, which keeps its place. Only the events still have it. */
  text: string
  words: string[]
  createdAt: string
  editedAt: string | null
  up: number
  down: number
  score: number
  isDeleted: boolean
}

/**
 * The index of a post's text by substrings. It is several times as large as the text, so it is a document of its own: votes do
 * not write it, and pages of posts do not read it. A deleted post has none.
 */
export type PostBeginning = { _id: string; beginning: string; trigrams: string[]; createdAt: string }

/** The number of characters of a text in which substrings are found. Most posts have fewer. */
const MAX_BEGINNING = 1000

export const beginningOf = (text: string): string =>
  folded([...text.slice(0, 2 * MAX_BEGINNING)].slice(0, MAX_BEGINNING).join(''))

/** The number of words by which a post is found. Most posts have fewer. */
const MAX_WORDS = 1000

const notAuthor: Rejection = ({ post, actor }) => post?.author !== actor.id && 'only its author may edit a post'

const notAuthorNorModerator: Rejection = ({ post, actor }) =>
  post?.author !== actor.id &&
  !actor.isModerator &&
  !actor.isAdministrator &&
  'only its author or a moderator of the thread may delete a post'

/** Like `idTaken`, also for the id of a thread that was opened without a first post. */
const postIdTaken: Rejection = ({ thread, post }, { id }) =>
  (post !== undefined || thread?._id === id) && 'a thread or a post with this id already exists'

export const rules = {
  'forum.posts.write': {
    unless: [...preconditions, postIdTaken],
    events: ({ id, data }) => [{ type: 'forum.post-written', data: { post: id, text: text(data.text) } }],
  },
  'forum.posts.edit': {
    unless: [...preconditions, noPost, notAuthor],
    events: ({ data }) => [{ type: 'forum.post-edited', data: { post: text(data.postId), text: text(data.text) } }],
  },
  'forum.posts.delete': {
    unless: [...preconditions, noPost, notAuthorNorModerator],
    events: ({ data }) => [{ type: 'forum.post-deleted', data: { post: text(data.postId) } }],
  },
} satisfies { [type: string]: Rule }

export const projections: Projections = {
  'forum.post-written': (event, documents) => {
    const { stream, actor, time, data } = event
    const post: Post = {
      _id: text(data.post),
      thread: threadOf(stream),
      author: actor,
      ...textFields(text(data.text)),
      createdAt: time,
      editedAt: null,
      up: 0,
      down: 0,
      score: 0,
      isDeleted: false,
    }
    return [
      { collection: 'posts', document: post },
      { collection: 'postBeginnings', document: postBeginningOf(post._id, post.text, time) },
      updateThread(event, documents, ({ posts }) => ({ posts: posts + 1, lastActivityAt: time, changedAt: time })),
    ]
  },
  'forum.post-edited': (event, documents) => {
    const [id, newText, { time }] = [text(event.data.post), text(event.data.text), event]
    const { createdAt } = documents.get('posts', id) as Post
    return [
      updatePost(id, documents, () => ({ ...textFields(newText), editedAt: time })),
      { collection: 'postBeginnings', document: postBeginningOf(id, newText, createdAt) },
      updateThread(event, documents, () => ({ changedAt: time })),
    ]
  },
  'forum.post-deleted': (event, documents) => [
    updatePost(text(event.data.post), documents, () => ({ ...textFields(''), isDeleted: true })),
    { collection: 'postBeginnings', remove: text(event.data.post) },
    updateThread(event, documents, ({ posts }) => ({ posts: posts - 1, changedAt: event.time })),
  ],
}

const textFields = (text: string) => ({ text, words: wordsOf(text, MAX_WORDS) })

export function postBeginningOf(_id: string, text: string, createdAt: string): PostBeginning {
  const beginning = beginningOf(text)
  return { _id, beginning, trigrams: trigramsOf(beginning), createdAt }
}

/** The change of a post. */
export function updatePost(id: string, documents: View, change: (post: Post) => Partial<Post>) {
  const post = documents.get('posts', id) as Post
  return { collection: 'posts', document: { ...post, ...change(post) } }
}
