import { pair, text } from './context.ts'
import { updatePost } from './posts.ts'
import { noPost, preconditions } from './rejections.ts'
import type { Projections, Rule } from './rule.ts'

/** An account's vote on a post, 1 or -1. A vote that was taken back has no document. */
export type Vote = { _id: string; value: number }

export const rules = {
  'forum.votes.cast': {
    unless: [...preconditions, noPost],
    /** Repeating one's own vote changes nothing. */
    events: ({ data }, { vote }) =>
      data.value === vote
        ? []
        : [{ type: 'forum.vote-cast', data: { post: text(data.postId), value: Number(data.value) } }],
  },
} satisfies { [type: string]: Rule }

export const projections: Projections = {
  'forum.vote-cast': ({ actor, data }, documents) => {
    const [post, value] = [text(data.post), Number(data.value)]
    const _id = pair(post, actor)
    const before = Number(documents.get('votes', _id)?.value ?? 0)
    const more = (of: number) => Number(value === of) - Number(before === of)
    const vote: Vote = { _id, value }
    return [
      value === 0 ? { collection: 'votes', remove: _id } : { collection: 'votes', document: vote },
      updatePost(post, documents, ({ up, down, score }) => ({
        up: up + more(1),
        down: down + more(-1),
        score: score + value - before,
      })),
    ]
  },
}
