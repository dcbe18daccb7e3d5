import type { Event } from '../domain.ts'
import { pair, reasonOf, text, threadOf } from './here.ts'
import { notModerator, outside } from './refusals.ts'
import type { Projections, Refusal, Rule } from './rule.ts'
import { changed } from './threads.ts'

/** That an account moderates a thread, or is banned from it: never both. */
export type Mark = { _id: string; thread: string; account: string; by: string; since: string; reason?: string }

const bannedHere: Refusal = ({ named }) => named.isBannedHere && 'this account is banned from the thread'
const notBannedHere: Refusal = ({ named }) => !named.isBannedHere && 'this account is not banned from the thread'
const moderator: Refusal = ({ named }) => named.isModerator && 'this account is a moderator of the thread'
const noModerator: Refusal = ({ named }) => !named.isModerator && 'this account is no moderator of the thread'
const last: Refusal = ({ thread }) => thread?.moderators === 1 && 'a thread keeps its last moderator'

/** Whom it is about need not have an account: they may not have logged in yet, or the thread hears of it a moment late. */
const moderating = (type: string, ...unless: Refusal[]): Rule => ({
  unless: [...outside, notModerator, ...unless],
  happens: ({ data }) => [{ type, data: { account: text(data.accountId), ...reasonOf(data) } }],
})

export const rules = {
  'forum.moderators.appoint': moderating('forum.moderator-appointed', moderator, bannedHere),
  'forum.moderators.remove': moderating('forum.moderator-removed', noModerator, last),
  'forum.bans.add': moderating('forum.banned', bannedHere, moderator),
  'forum.bans.lift': moderating('forum.ban-lifted', notBannedHere),
} satisfies { [type: string]: Rule }

export const projections: Projections = {
  'forum.moderator-appointed': (event, documents) => [
    { collection: 'moderators', document: markOf(event) },
    changed(event, documents, ({ moderators }) => ({ moderators: moderators + 1 })),
  ],
  'forum.moderator-removed': (event, documents) => [
    { collection: 'moderators', remove: markOf(event)._id },
    changed(event, documents, ({ moderators }) => ({ moderators: moderators - 1 })),
  ],
  'forum.banned': (event) => [{ collection: 'bans', document: markOf(event) }],
  'forum.ban-lifted': (event) => [{ collection: 'bans', remove: markOf(event)._id }],
}

function markOf({ stream, actor, time, data }: Event): Mark {
  const [thread, account] = [threadOf(stream), text(data.account)]
  return { _id: pair(thread, account), thread, account, by: actor, since: time, ...reasonOf(data) }
}
