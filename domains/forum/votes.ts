import { type Projections, pair, type Rules } from './context.ts'
import { updatePost } from './posts.ts'
import { noPost, preconditions } from './rejections.ts'

export const rules = {
  'forum.votes.cast': {
    unless: [...preconditions, noPost],
    /** Repeating one's own vote changes nothing. */
    events: ({ data: { postId, value } }, { vote }) =>
      value === vote ? [] : [{ type: 'forum.vote-cast', data: { post: postId, value } }],
  },
} satisfies Partial<Rules>

export const projections = {
  'forum.vote-cast': ({ actor, data: { post, value } }, documents) => {
    const _id = pair(post, actor)
    const before = documents.get('votes', _id)?.value ?? 0
    const more = (of: number) => Number(value === of) - Number(before === of)
    return [
      value === 0 ? { collection: 'votes', remove: _id } : { collection: 'votes', document: { _id, value } },
      updatePost(post, documents, ({ up, down, score }) => ({
        up: up + more(1),
        down: down + more(-1),
        score: score + value - before,
      })),
    ]
  },
} satisfies Partial<Projections>
