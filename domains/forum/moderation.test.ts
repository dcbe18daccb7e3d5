import { expect, test } from 'vitest'
import {
  ada,
  after,
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
  pots,
  type RejectionCase,
  root,
  write,
} from '#test/forum.ts'

const of = (accountId: string) => inKettles({ accountId })

test.each([
  ['a moderator', ada],
  ['an administrator', root],
])('%s appoints moderators, who may appoint others', async (_, who) => {
  const { events, document } = await after(kettles, who('forum.moderators.appoint', of('bob')))
  expect(events).toEqual([{ type: 'forum.moderator-appointed', data: { account: 'bob' } }])
  expect(document('moderators', 'kettles:bob')).toMatchObject({ thread: 'kettles', account: 'bob' })
  expect(document('threads', 'kettles')?.moderators).toBe(2)
  const next = await after(bobModerates, bob('forum.moderators.appoint', of('eve')))
  expect(next.document('moderators', 'kettles:eve')).toMatchObject({ by: 'bob' })
})

test('moderators remove each other and themselves, except the last one', async () => {
  const removed = await after(bobModerates, bob('forum.moderators.remove', of('ada')))
  expect(removed.document('moderators', 'kettles:ada')).toBeUndefined()
  expect(removed.document('threads', 'kettles')?.moderators).toBe(1)
  expect((await after(bobModerates, ada('forum.moderators.remove', of('ada')))).events).toHaveLength(1)
})

test.each([
  ['a moderator', ada],
  ['an administrator', root],
])('%s bans and lifts bans', async (_, who) => {
  const { events, document } = await after(kettles, who('forum.bans.add', of('bob')))
  expect(events).toEqual([{ type: 'forum.banned', data: { account: 'bob' } }])
  expect(document('bans', 'kettles:bob')).toMatchObject({ thread: 'kettles', account: 'bob' })
  const lifted = await after(bobIsBanned, who('forum.bans.lift', of('bob')))
  expect(lifted.document('bans', 'kettles:bob')).toBeUndefined()
})

test('a ban has its reason in its event and in its document', async () => {
  const reason = 'Spam,\nthree times over 🙁'
  const { events, document } = await after(kettles, ada('forum.bans.add', inKettles({ accountId: 'bob', reason })))
  expect(events).toEqual([{ type: 'forum.banned', data: { account: 'bob', reason } }])
  expect(document('bans', 'kettles:bob')).toMatchObject({ reason })
  const everywhere = await after([], root('forum.siteBans.add', { accountId: 'bob', reason }))
  expect(everywhere.events).toEqual([{ type: 'forum.banned-everywhere', data: { reason } }])
  expect(everywhere.document('siteBans', 'bob')).toMatchObject({ reason })
})

test('a banned account writes in other threads, and again in this one once the ban is lifted', async () => {
  const lifted = [...bobIsBanned, ada('forum.bans.lift', of('bob'))]
  expect((await after(lifted, bob('forum.posts.write', write()))).events).toHaveLength(1)
  expect((await after(bobIsBanned, bob('forum.posts.write', inPots({ text: 'Here' })))).events).toHaveLength(1)
})

test('a ban does not bind an administrator', async () => {
  const banned = [...kettles, ada('forum.bans.add', of('root'))]
  expect((await after(banned, root('forum.posts.write', write()))).events).toHaveLength(1)
})

const onlyModerators = 'only a moderator of the thread may do that'
const isBanned = 'this account is banned from the thread'
const notBanned = 'this account is not banned from the thread'
const moderates = 'this account is a moderator of the thread'
const keepsLast = 'the last moderator of a thread cannot be removed'
const demoted = [...bobModerates, bob('forum.moderators.remove', of('ada'))]

test.each<RejectionCase>([
  ['appointing as a member', kettles, bob('forum.moderators.appoint', of('bob')), onlyModerators],
  ['appointing in another thread', pots, eve('forum.moderators.appoint', of('eve')), onlyModerators],
  ['appointing once removed', demoted, ada('forum.moderators.appoint', of('ada')), onlyModerators],
  ['appointing a moderator', bobModerates, ada('forum.moderators.appoint', of('bob')), moderates],
  ['appointing a banned account', bobIsBanned, ada('forum.moderators.appoint', of('bob')), isBanned],
  ['removing the last moderator', kettles, ada('forum.moderators.remove', of('ada')), keepsLast],
  ['removing the last moderator as an administrator', kettles, root('forum.moderators.remove', of('ada')), keepsLast],
  [
    'removing the last moderator who was appointed later',
    demoted,
    root('forum.moderators.remove', of('bob')),
    keepsLast,
  ],
  ['removing as a member', bobModerates, eve('forum.moderators.remove', of('ada')), onlyModerators],
  [
    'removing an account that is not a moderator',
    kettles,
    ada('forum.moderators.remove', of('bob')),
    'this account is not a moderator of the thread',
  ],
  ['banning as a member', kettles, bob('forum.bans.add', of('eve')), onlyModerators],
  ['banning in another thread', pots, eve('forum.bans.add', of('bob')), onlyModerators],
  ['banning a moderator', bobModerates, ada('forum.bans.add', of('bob')), moderates],
  ['banning oneself', kettles, ada('forum.bans.add', of('ada')), moderates],
  ['banning again', bobIsBanned, ada('forum.bans.add', of('bob')), isBanned],
  ['lifting a ban of oneself', bobIsBanned, bob('forum.bans.lift', of('bob')), 'you are banned from this thread'],
  ['lifting a ban in another thread', bobIsBanned, eve('forum.bans.lift', of('bob')), onlyModerators],
  ['lifting a ban that does not exist', kettles, ada('forum.bans.lift', of('bob')), notBanned],
  ['lifting a ban of another thread', bobIsBanned, eve('forum.bans.lift', inPots({ accountId: 'bob' })), notBanned],
  ['lifting in a thread a ban from everywhere', bobIsBannedEverywhere, ada('forum.bans.lift', of('bob')), notBanned],
  [
    'banning in a deleted thread',
    kettlesAreGone,
    ada('forum.bans.add', of('bob')),
    'the thread does not exist or was deleted',
  ],
])('%s is rejected', expectRejected)

test('a moderator who is banned everywhere cannot moderate', async () => {
  const banned = [...bobModerates, root('forum.siteBans.add', { accountId: 'bob' })]
  await expectRejected('', banned, bob('forum.bans.add', of('eve')), 'you are banned')
})
