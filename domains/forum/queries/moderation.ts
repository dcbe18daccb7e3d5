import type { Caller } from 'millrace'
import { z } from 'zod'
import { ADMINISTRATE, READ, threadId, WRITE } from '../commands.ts'
import { pair } from '../context.ts'
import type { Documents, Kinds, Mark, SiteBan } from '../documents.ts'
import { parentThread, person, personIn, time } from './shapes.ts'

const mark = z.object({ account: person, by: person, since: time })

/** A mark on an account, or a ban from everywhere, without its reason. */
const markIn = (documents: Documents, account: string, { by, since }: Mark | SiteBan) => ({
  account: personIn(documents, account),
  by: personIn(documents, by),
  since,
})

/** The query of the marks on accounts in a thread. */
const marks = {
  scope: READ,
  item: mark,
  parent: parentThread,
  index: 'thread',
  where: ({ threadId }: { threadId: string }) => ({ thread: threadId }),
  numbered: { sorts: { since: {} }, isByIndex: () => true },
  join: ({ account, by }: Mark) => [{ collection: 'accounts' as const, ids: [account, by] }],
  shape: (found: Mark, { documents }: { documents: Documents }) => markIn(documents, found.account, found),
} as const

const ban = mark.extend({
  reason: z.string().nullable().describe('Only for moderators, administrators and the account itself, else null'),
})

const banIn = (documents: Documents, account: string, found: Mark | SiteBan, mayKnow: boolean) => ({
  ...markIn(documents, account, found),
  reason: mayKnow ? (found.reason ?? null) : null,
})

/** The query of the caller's standing in a thread. */
const standing = {
  scope: WRITE,
  item: z.object({ isModerator: z.boolean(), isAdministrator: z.boolean(), isBanned: z.boolean() }),
  touches: (asked: { threadId: string }, { id }: Caller) => [
    ...parentThread.touches(asked),
    { collection: 'moderators' as const, ids: [pair(asked.threadId, id)] },
    { collection: 'bans' as const, ids: [pair(asked.threadId, id)] },
    { collection: 'siteBans' as const, ids: [id] },
  ],
  answer(documents: Documents, asked: { threadId: string }, { id, scopes }: Caller) {
    if (!parentThread.exists(documents, asked)) return undefined
    const isMarked = (collection: 'moderators' | 'bans') =>
      documents.get(collection, pair(asked.threadId, id)) !== undefined
    const isAdministrator = scopes.has(ADMINISTRATE)
    const isBanned = isMarked('bans') || documents.get('siteBans', id) !== undefined
    return { isModerator: isMarked('moderators'), isAdministrator, isBanned: isBanned && !isAdministrator }
  },
}

export const moderation = ({ page, composed }: Kinds) => [
  page({
    ...marks,
    path: '/api/forum/threads/{threadId}/moderators',
    name: 'moderators.list',
    summary: 'The moderators of a thread, and who appointed them',
    from: 'moderators',
  }),
  page({
    ...marks,
    path: '/api/forum/threads/{threadId}/bans',
    name: 'bans.list',
    summary: 'The accounts that are banned from a thread, and who banned them',
    from: 'bans',
  }),
  composed({
    path: '/api/forum/threads/{threadId}/bans/{accountId}',
    name: 'bans.one',
    summary: 'A ban from a thread',
    scope: READ,
    item: ban,
    touches(asked, { id }, documents) {
      const { threadId, accountId } = asked
      const found = documents.get('bans', pair(threadId, accountId))
      return [
        ...parentThread.touches(asked),
        { collection: 'bans', ids: [pair(threadId, accountId)] },
        { collection: 'moderators', ids: [pair(threadId, id)] },
        { collection: 'accounts', ids: [accountId, ...(found ? [found.by] : [])] },
      ]
    },
    answer(documents, asked, { id, scopes }) {
      const { threadId, accountId } = asked
      const found = documents.get('bans', pair(threadId, accountId))
      if (!found || !parentThread.exists(documents, asked)) return undefined
      const isModerator = documents.get('moderators', pair(threadId, id)) !== undefined
      const mayKnow = isModerator || id === accountId || scopes.has(ADMINISTRATE)
      return banIn(documents, accountId, found, mayKnow)
    },
  }),
  composed({
    path: '/api/forum/bans/{accountId}',
    name: 'siteBans.one',
    summary: 'A ban from everywhere',
    scope: READ,
    item: ban,
    touches({ accountId }, _, documents) {
      const found = documents.get('siteBans', accountId)
      return [
        { collection: 'siteBans', ids: [accountId] },
        { collection: 'accounts', ids: [accountId, ...(found ? [found.by] : [])] },
      ]
    },
    answer(documents, { accountId }, { id, scopes }) {
      const found = documents.get('siteBans', accountId)
      return found && banIn(documents, accountId, found, id === accountId || scopes.has(ADMINISTRATE))
    },
  }),
  page({
    path: '/api/forum/bans',
    name: 'siteBans.list',
    summary: 'The accounts that are banned everywhere, and who banned them',
    scope: READ,
    item: mark,
    from: 'siteBans',
    index: 'time',
    numbered: { sorts: { since: {} }, isByIndex: () => true },
    join: ({ _id, by }) => [{ collection: 'accounts', ids: [_id, by] }],
    shape: (found, { documents }) => markIn(documents, found._id, found),
  }),
  composed({
    ...standing,
    path: '/api/forum/threads/{threadId}/me',
    name: 'threads.me',
    summary: 'Your standing in a thread: moderator, administrator, banned',
  }),
  composed({
    ...standing,
    path: '/api/forum/me',
    name: 'me',
    summary: 'Your standing in a thread whose id is in the query string',
    params: z.object({ threadId }),
  }),
]
