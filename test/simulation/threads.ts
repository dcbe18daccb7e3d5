import type { Document } from '#domains/domain.ts'
import { all } from './judge.ts'
import type { Evidence } from './simulate.ts'
import { Violation } from './violation.ts'

/** Checks the invariants of every thread. */
export function judgeThreads(evidence: Evidence): void {
  const [posts, moderators] = ['posts', 'moderators'].map((name) =>
    Map.groupBy(all(evidence, name), ({ thread }) => thread),
  )
  for (const { _id, ...thread } of all(evidence, 'threads')) {
    const count = posts?.get(_id)?.filter(({ isDeleted }) => !isDeleted).length ?? 0
    expect(thread.posts === count, `thread ${_id} counts ${thread.posts} of ${count} posts`)
    const { length = 0 } = moderators?.get(_id) ?? []
    expect(
      thread.moderators === length && length > 0,
      `thread ${_id} counts ${thread.moderators} of ${length} moderators`,
    )
  }
  const votes = Map.groupBy(all(evidence, 'votes'), ({ _id }) => _id.split(':')[0])
  for (const { _id, score, up, down } of all(evidence, 'posts')) {
    const cast = (votes.get(_id) ?? []).map(({ value }) => Number(value))
    const [ups, downs] = [1, -1].map((vote) => cast.filter((value) => value === vote).length)
    const condition = up === ups && down === downs && score === cast.reduce((sum, value) => sum + value, 0)
    expect(condition, `post ${_id} has ${up} up, ${down} down, ${score} in all, and the votes ${cast}`)
  }
  const banned = new Set(all(evidence, 'bans').map(({ _id }: Document) => _id))
  for (const { _id } of all(evidence, 'moderators')) expect(!banned.has(_id), `${_id} is a moderator and banned`)
}

function expect(condition: boolean, otherwise: string): void {
  if (!condition) throw new Violation('threads', otherwise)
}
