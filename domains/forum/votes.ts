import { pair, text } from './here.ts'
import { changed } from './posts.ts'
import { noPost, outside } from './refusals.ts'
import type { Projections, Rule } from './rule.ts'

/** An account's vote on a post, 1 or -1; there is none where it was taken back. */
export type Vote = { _id: string; value: number }

export const rules = {
  'forum.votes.cast': {
    unless: [...outside, noPost],
    /** The vote that the actor already has changes nothing. */
    happens: ({ data }, { vote }) =>
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
      changed(post, documents, ({ up, down, score }) => ({
        up: up + more(1),
        down: down + more(-1),
        score: score + value - before,
      })),
    ]
  },
}
