import { expect, test } from 'vitest'
import {
  ada,
  after,
  anonymous,
  bob,
  bobIsBanned,
  bobIsBannedEverywhere,
  bobModerates,
  eve,
  expectRejected,
  inKettles,
  inPots,
  kettles,
  kettlesAreGone,
  onRed,
  people,
  pots,
  type RejectionCase,
  root,
  write,
} from '#test/forum.ts'

const open = { title: ' Kettles and pots, pots ', text: ' Which one? ' }

test('the author of a thread moderates it and writes its first post', async () => {
  const { events, document } = await after(people, ada('forum.threads.open', open, 'kettles'))
  expect(events).toEqual([
    { type: 'forum.thread-opened', data: { title: 'Kettles and pots, pots' } },
    { type: 'forum.moderator-appointed', data: { account: 'ada' } },
    { type: 'forum.post-written', data: { post: 'kettles', text: 'Which one?' } },
  ])
  const time = document('threads', 'kettles')?.createdAt
  expect(document('threads', 'kettles')).toEqual({
    _id: 'kettles',
    title: 'Kettles and pots, pots',
    words: ['kettles', 'and', 'pots'],
    trigrams: ['ket', 'ett', 'ttl', 'tle', 'les', 'and', 'pot', 'ots'],
    author: 'ada',
    createdAt: time,
    lastActivityAt: time,
    changedAt: time,
    posts: 1,
    moderators: 1,
  })
  expect(document('posts', 'kettles')).toMatchObject({ thread: 'kettles', author: 'ada', text: 'Which one?' })
  expect(document('moderators', 'kettles:ada')).toMatchObject({ thread: 'kettles', account: 'ada', by: 'ada' })
})

test('a thread without a text has no post, and no later post can have its id', async () => {
  const opened = [...people, ada('forum.threads.open', { title: 'Pans' }, 'pans')]
  const { events, document } = await after(people, ada('forum.threads.open', { title: 'Pans' }, 'pans'))
  expect(events).toEqual([
    { type: 'forum.thread-opened', data: { title: 'Pans' } },
    { type: 'forum.moderator-appointed', data: { account: 'ada' } },
  ])
  expect(document('threads', 'pans')).toMatchObject({ title: 'Pans', posts: 0, moderators: 1 })
  expect(document('posts', 'pans')).toBeUndefined()
  const later = await after(opened, bob('forum.posts.write', { threadId: 'pans', text: 'Copper' }, 'copper'))
  expect(later.document('threads', 'pans')).toMatchObject({ posts: 1 })
  expect(later.document('posts', 'pans')).toBeUndefined()
  const reused = await after(opened, ada('forum.posts.write', { threadId: 'pans', text: 'Copper' }, 'pans'))
  expect(reused.rejected).toBe('a thread or a post with this id already exists')
})

const at = (second: number) => ({ time: `2031-01-01T00:00:0${second}.000Z` })
test.each([
  ['a new title', ada('forum.threads.change', inKettles({ title: 'Pans' }))],
  ['a new post', bob('forum.posts.write', write())],
  ['an edited post', bob('forum.posts.edit', onRed({ text: 'The blue one' }))],
  ['a deleted post', bob('forum.posts.delete', onRed())],
])('%s changes the thread', async (_, asked) => {
  const { document } = await after(kettles, { ...asked, ...at(1) })
  expect(document('threads', 'kettles')?.changedAt).toBe(at(1).time)
})

test.each([
  ['a vote', ada('forum.votes.cast', onRed({ value: 1 }))],
  ['a moderator', ada('forum.moderators.appoint', inKettles({ accountId: 'bob' }))],
  ['a ban', ada('forum.bans.add', inKettles({ accountId: 'bob' }))],
])('%s does not change the thread', async (_, asked) => {
  const { document } = await after(kettles, { ...asked, ...at(1) })
  expect(document('threads', 'kettles')?.changedAt).toMatch(/^2030/)
})

test.each([
  ['its moderator', pots, ada],
  ['an appointed moderator', bobModerates, bob],
  ['an administrator', pots, root],
])('a thread can be changed and deleted by %s', async (_, history, who) => {
  const changed = await after(history, who('forum.threads.change', inKettles({ title: 'Pans' })))
  expect(changed.document('threads', 'kettles')).toMatchObject({ title: 'Pans', words: ['pans'], author: 'ada' })
  const deleted = await after(history, who('forum.threads.delete', inKettles()))
  expect(deleted.events).toEqual([{ type: 'forum.thread-deleted', data: {} }])
  expect(deleted.document('threads', 'kettles')).toBeUndefined()
  expect(deleted.document('threads', 'pots')).toBeDefined()
})

test('an account that is banned from one thread can open others', async () => {
  expect((await after(bobIsBanned, bob('forum.threads.open', open))).events).toHaveLength(3)
})

const onlyModerators = 'only a moderator of the thread may do that'
const none = 'the thread does not exist or was deleted'

test.each<RejectionCase>([
  ['opening without a name', people, anonymous('forum.threads.open', open), 'log in first'],
  ['opening when banned everywhere', bobIsBannedEverywhere, bob('forum.threads.open', open), 'you are banned'],
  [
    'changing the thread of another',
    kettles,
    bob('forum.threads.change', inKettles({ title: 'Mine' })),
    onlyModerators,
  ],
  ['deleting the thread of another', kettles, bob('forum.threads.delete', inKettles()), onlyModerators],
  ['changing another thread as a moderator', pots, ada('forum.threads.change', inPots({ title: 'x' })), onlyModerators],
  ['deleting another thread as a moderator', pots, eve('forum.threads.delete', inKettles()), onlyModerators],
  ['changing a deleted thread', kettlesAreGone, ada('forum.threads.change', inKettles({ title: 'x' })), none],
  ['deleting a thread again', kettlesAreGone, ada('forum.threads.delete', inKettles()), none],
  ['deleting it again as an administrator', kettlesAreGone, root('forum.threads.delete', inKettles()), none],
  ['writing in a deleted thread', kettlesAreGone, bob('forum.posts.write', write()), none],
  ['changing a thread that never existed', kettles, root('forum.threads.change', inPots({ title: 'x' })), none],
])('%s is rejected', expectRejected)

const taken = 'a thread or a post with this id already exists'
const written = 'a thread or a post with this id already exists'
test.each<RejectionCase>([
  ['an existing thread', kettles, ada('forum.threads.open', open, 'kettles'), taken],
  ['a deleted thread', kettlesAreGone, ada('forum.threads.open', open, 'kettles'), taken],
  ['a post with a thread', pots, ada('forum.threads.open', open, 'red'), taken],
  ['an existing post', kettles, bob('forum.posts.write', inKettles({ text: 'x' }), 'kettles'), written],
  ['a post of another thread', pots, bob('forum.posts.write', inPots({ text: 'x' }), 'kettles'), written],
])('a key that is used again after the horizon does not overwrite %s', expectRejected)
