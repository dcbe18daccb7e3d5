import type { Event } from '../domain.ts'
import { pair, reasonOf, text, threadOf } from './context.ts'
import { notModerator, preconditions } from './rejections.ts'
import type { Projections, Rejection, Rule } from './rule.ts'
import { updateThread } from './threads.ts'

/** A mark on an account in a thread: it moderates the thread, or it is banned from it, never both. */
export type Mark = { _id: string; thread: string; account: string; by: string; since: string; reason?: string }

const alreadyBanned: Rejection = ({ target }) => target.isBannedFromThread && 'this account is banned from the thread'
const notBannedFromThread: Rejection = ({ target }) =>
  !target.isBannedFromThread && 'this account is not banned from the thread'
const alreadyModerator: Rejection = ({ target }) => target.isModerator && 'this account is a moderator of the thread'
const notAModerator: Rejection = ({ target }) => !target.isModerator && 'this account is not a moderator of the thread'
const lastModerator: Rejection = ({ thread }) =>
  thread?.moderators === 1 && 'the last moderator of a thread cannot be removed'

/** A rule about a target account, which need not exist: its owner may not have logged in yet. */
const moderatorRule = (type: string, ...unless: Rejection[]): Rule => ({
  unless: [...preconditions, notModerator, ...unless],
  events: ({ data }) => [{ type, data: { account: text(data.accountId), ...reasonOf(data) } }],
})

export const rules = {
  'forum.moderators.appoint': moderatorRule('forum.moderator-appointed', alreadyModerator, alreadyBanned),
  'forum.moderators.remove': moderatorRule('forum.moderator-removed', notAModerator, lastModerator),
  'forum.bans.add': moderatorRule('forum.banned', alreadyBanned, alreadyModerator),
  'forum.bans.lift': moderatorRule('forum.ban-lifted', notBannedFromThread),
} satisfies { [type: string]: Rule }

export const projections: Projections = {
  'forum.moderator-appointed': (event, documents) => [
    { collection: 'moderators', document: toMark(event) },
    updateThread(event, documents, ({ moderators }) => ({ moderators: moderators + 1 })),
  ],
  'forum.moderator-removed': (event, documents) => [
    { collection: 'moderators', remove: toMark(event)._id },
    updateThread(event, documents, ({ moderators }) => ({ moderators: moderators - 1 })),
  ],
  'forum.banned': (event) => [{ collection: 'bans', document: toMark(event) }],
  'forum.ban-lifted': (event) => [{ collection: 'bans', remove: toMark(event)._id }],
}

function toMark({ stream, actor, time, data }: Event): Mark {
  const [thread, account] = [threadOf(stream), text(data.account)]
  return { _id: pair(thread, account), thread, account, by: actor, since: time, ...reasonOf(data) }
}
