import type { EventOf } from 'millrace'
import { type AnyRejection, type Projections, pair, type Rules, reasonOf, threadOf } from './context.ts'
import type { Mark } from './documents.ts'
import type { events } from './events.ts'
import { notModerator, preconditions } from './rejections.ts'
import { updateThread } from './threads.ts'

const alreadyBanned: AnyRejection = (_, { target }) =>
  target.isBannedFromThread && 'this account is banned from the thread'
const alreadyModerator: AnyRejection = (_, { target }) =>
  target.isModerator && 'this account is a moderator of the thread'

/** Rules about a target account, which need not exist: its owner may not have logged in yet. */
export const rules = {
  'forum.moderators.appoint': {
    unless: [...preconditions, notModerator, alreadyModerator, alreadyBanned],
    events: ({ data }) => [{ type: 'forum.moderator-appointed', data: { account: data.accountId } }],
  },
  'forum.moderators.remove': {
    unless: [
      ...preconditions,
      notModerator,
      (_, { target }) => !target.isModerator && 'this account is not a moderator of the thread',
      (_, { thread }) => thread?.moderators === 1 && 'the last moderator of a thread cannot be removed',
    ],
    events: ({ data }) => [{ type: 'forum.moderator-removed', data: { account: data.accountId } }],
  },
  'forum.bans.add': {
    unless: [...preconditions, notModerator, alreadyBanned, alreadyModerator],
    events: ({ data }) => [{ type: 'forum.banned', data: { account: data.accountId, ...reasonOf(data) } }],
  },
  'forum.bans.lift': {
    unless: [
      ...preconditions,
      notModerator,
      (_, { target }) => !target.isBannedFromThread && 'this account is not banned from the thread',
    ],
    events: ({ data }) => [{ type: 'forum.ban-lifted', data: { account: data.accountId } }],
  },
} satisfies Partial<Rules>

export const projections = {
  'forum.moderator-appointed': (event, documents) => [
    { collection: 'moderators', document: toMark(event) },
    updateThread(event, documents, ({ moderators }) => ({ moderators: moderators + 1 })),
  ],
  'forum.moderator-removed': (event, documents) => [
    { collection: 'moderators', remove: markId(event) },
    updateThread(event, documents, ({ moderators }) => ({ moderators: moderators - 1 })),
  ],
  'forum.banned': (event) => [{ collection: 'bans', document: { ...toMark(event), ...reasonOf(event.data) } }],
  'forum.ban-lifted': (event) => [{ collection: 'bans', remove: markId(event) }],
} satisfies Partial<Projections>

const markId = ({ stream, data }: { stream: string; data: { account: string } }): string =>
  pair(threadOf(stream), data.account)

function toMark(event: EventOf<typeof events, 'forum.moderator-appointed' | 'forum.banned'>): Mark {
  const { stream, actor, time, data } = event
  return { _id: markId(event), thread: threadOf(stream), account: data.account, by: actor, since: time }
}
