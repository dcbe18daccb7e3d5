import { folded, trigramsOf, wordsOf } from 'millrace'
import { type Projections, type Rules, threadOf } from './context.ts'
import { type Change, type Documents, existing, type Post, type PostBeginning } from './documents.ts'
import { ID_TAKEN, noPost, preconditions } from './rejections.ts'
import { updateThread } from './threads.ts'

/** The number of characters of a text in which substrings are found. Most posts have fewer. */
const MAX_BEGINNING = 1000

export const beginningOf = (text: string): string =>
  folded([...text.slice(0, 2 * MAX_BEGINNING)].slice(0, MAX_BEGINNING).join(''))

/** The number of words by which a post is found. Most posts have fewer. */
const MAX_WORDS = 1000

export const rules = {
  'forum.posts.write': {
    unless: [
      ...preconditions,
      // The id of a thread that was opened without a first post is taken too.
      ({ id }, { thread, post }) => (post !== undefined || thread?._id === id) && ID_TAKEN,
    ],
    events: ({ id, data: { text } }) => [{ type: 'forum.post-written', data: { post: id, text } }],
  },
  'forum.posts.edit': {
    unless: [
      ...preconditions,
      noPost,
      ({ actor }, { post }) => post?.author !== actor && 'only its author may edit a post',
    ],
    events: ({ data: { postId, text } }) => [{ type: 'forum.post-edited', data: { post: postId, text } }],
  },
  'forum.posts.delete': {
    unless: [
      ...preconditions,
      noPost,
      ({ actor: id }, { post, actor }) =>
        post?.author !== id &&
        !actor.isModerator &&
        !actor.isAdministrator &&
        'only its author or a moderator of the thread may delete a post',
    ],
    events: ({ data }) => [{ type: 'forum.post-deleted', data: { post: data.postId } }],
  },
} satisfies Partial<Rules>

export const projections = {
  'forum.post-written': (event, documents) => {
    const { stream, actor, time, data } = event
    const post: Post = {
      _id: data.post,
      thread: threadOf(stream),
      author: actor,
      ...textFields(data.text),
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
    const { time, data } = event
    const { createdAt } = existing(documents, 'posts', data.post)
    return [
      updatePost(data.post, documents, () => ({ ...textFields(data.text), editedAt: time })),
      { collection: 'postBeginnings', document: postBeginningOf(data.post, data.text, createdAt) },
      updateThread(event, documents, () => ({ changedAt: time })),
    ]
  },
  'forum.post-deleted': (event, documents) => [
    updatePost(event.data.post, documents, () => ({ ...textFields(''), isDeleted: true })),
    { collection: 'postBeginnings', remove: event.data.post },
    updateThread(event, documents, ({ posts }) => ({ posts: posts - 1, changedAt: event.time })),
  ],
} satisfies Partial<Projections>

const textFields = (text: string) => ({ text, words: wordsOf(text, MAX_WORDS) })

export function postBeginningOf(_id: string, text: string, createdAt: string): PostBeginning {
  const beginning = beginningOf(text)
  return { _id, beginning, trigrams: trigramsOf(beginning), createdAt }
}

/** The change of a post. */
export function updatePost(id: string, documents: Documents, change: (post: Post) => Partial<Post>): Change {
  const post = existing(documents, 'posts', id)
  return { collection: 'posts', document: { ...post, ...change(post) } }
}
