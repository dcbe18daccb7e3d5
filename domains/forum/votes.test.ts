import { expect, test } from 'vitest'
import {
  ada,
  after,
  anonymous,
  bob,
  bobIsBanned,
  bobIsBannedEverywhere,
  eve,
  expectRejected,
  inPots,
  kettles,
  kettlesAreGone,
  onRed,
  pots,
  type RejectionCase,
  redIsGone,
} from '#test/forum.ts'

const vote = (who: typeof ada, value: number) => who('forum.votes.cast', onRed({ value }))

test.each([
  ['up', [], vote(ada, 1), [1, 0, 1], 1],
  ['down', [], vote(ada, -1), [0, 1, -1], -1],
  ['up after down', [vote(ada, -1)], vote(ada, 1), [1, 0, 1], 1],
  ['down after up', [vote(ada, 1)], vote(ada, -1), [0, 1, -1], -1],
  ['taken back', [vote(ada, 1)], vote(ada, 0), [0, 0, 0], undefined],
  ['again after that', [vote(ada, 1), vote(ada, 0)], vote(ada, -1), [0, 1, -1], -1],
  ['beside others', [vote(bob, 1), vote(eve, -1)], vote(ada, 1), [2, 1, 1], 1],
])('a vote counts once for each account (%s)', async (_, before, last, [up, down, score], own) => {
  const { document } = await after([...kettles, ...before], last)
  expect(document('posts', 'red')).toMatchObject({ up, down, score })
  expect(document('votes', 'red:ada')?.value).toBe(own)
})

test.each([
  ['up', [vote(ada, 1)], vote(ada, 1), 1],
  ['down', [vote(ada, -1)], vote(ada, -1), -1],
  ['taken back twice', [vote(ada, 1), vote(ada, 0)], vote(ada, 0), undefined],
  ['taken back without a vote', [], vote(ada, 0), undefined],
])('a repeated vote is applied and changes nothing (%s)', async (_, before, last, own) => {
  const { rejected, events, document } = await after([...kettles, ...before], last)
  expect({ rejected, events }).toEqual({ rejected: undefined, events: [] })
  expect(document('votes', 'red:ada')?.value).toBe(own)
})

const noPost = 'there is no such post in this thread'

test.each<RejectionCase>([
  ['without a name', kettles, vote(anonymous, 1), 'log in first'],
  ['when banned from the thread', bobIsBanned, vote(bob, 1), 'you are banned from this thread'],
  ['when banned everywhere', bobIsBannedEverywhere, vote(bob, 1), 'you are banned'],
  ['by way of another thread', pots, ada('forum.votes.cast', inPots({ postId: 'red', value: 1 })), noPost],
  ['on a post that never existed', pots, ada('forum.votes.cast', onRed({ postId: 'none', value: 1 })), noPost],
  ['on a deleted post', redIsGone, vote(ada, 1), 'the post is deleted'],
  ['in a deleted thread', kettlesAreGone, vote(ada, 1), 'the thread does not exist or was deleted'],
])('a vote %s is rejected', expectRejected)
