import { z } from 'zod'
import type { Caller, Document, Fields, Touch, View } from '../../domain.ts'
import type { Asked, Query } from '../../query.ts'
import type { SiteBan } from '../accounts.ts'
import { threadId } from '../commands.ts'
import { ADMINISTRATE, pair, READ, text, WRITE } from '../context.ts'
import type { Mark } from '../moderation.ts'
import { parentThread, person, personIn, time } from './shapes.ts'

const mark = z.object({ account: person, by: person, since: time })

/** The query of the marks on accounts in a thread. */
const marks = {
  answers: 'page',
  scope: READ,
  item: mark,
  parent: parentThread,
  index: 'thread',
  where: ({ threadId = '' }) => ({ thread: threadId }),
  numbered: { sorts: { since: {} }, isByIndex: () => true },
  join: ({ account, by }: Document): Touch[] => [{ collection: 'accounts', ids: [text(account), text(by)] }],
  shape(document: Document, { documents }: Asked) {
    const { account, by, since } = document as Mark
    return { account: personIn(documents, account), by: personIn(documents, by), since }
  },
} as const

const ban = mark.extend({
  reason: z.string().nullable().describe('Only for moderators, administrators and the account itself, else null'),
})

const banIn = (documents: View, account: string, { by, since, reason }: Mark | SiteBan, mayKnow: boolean) => ({
  account: personIn(documents, account),
  by: personIn(documents, by),
  since,
  reason: mayKnow ? (reason ?? null) : null,
})

/** The query of the caller's standing in a thread. */
const standing = {
  answers: 'view',
  scope: WRITE,
  item: z.object({ isModerator: z.boolean(), isAdministrator: z.boolean(), isBanned: z.boolean() }),
  touches: (asked: Fields, { id }: Caller): Touch[] => [
    ...parentThread.touches(asked),
    { collection: 'moderators', ids: [pair(text(asked.threadId), id)] },
    { collection: 'bans', ids: [pair(text(asked.threadId), id)] },
    { collection: 'siteBans', ids: [id] },
  ],
  answer(documents: View, asked: Fields, { id, scopes }: Caller) {
    if (!parentThread.exists(documents, asked)) return undefined
    const isMarked = (collection: string) => documents.get(collection, pair(text(asked.threadId), id)) !== undefined
    const isAdministrator = scopes.has(ADMINISTRATE)
    const isBanned = isMarked('bans') || documents.get('siteBans', id) !== undefined
    return { isModerator: isMarked('moderators'), isAdministrator, isBanned: isBanned && !isAdministrator }
  },
} as const

export const moderation = [
  {
    ...marks,
    path: '/api/forum/threads/{threadId}/moderators',
    name: 'moderators.list',
    summary: 'The moderators of a thread, and who appointed them',
    from: 'moderators',
  },
  {
    ...marks,
    path: '/api/forum/threads/{threadId}/bans',
    name: 'bans.list',
    summary: 'The accounts that are banned from a thread, and who banned them',
    from: 'bans',
  },
  {
    answers: 'view',
    path: '/api/forum/threads/{threadId}/bans/{accountId}',
    name: 'bans.one',
    summary: 'A ban from a thread',
    scope: READ,
    item: ban,
    touches(asked, { id }, documents) {
      const [threadId, accountId] = [text(asked.threadId), text(asked.accountId)]
      const found = documents.get('bans', pair(threadId, accountId))
      return [
        ...parentThread.touches(asked),
        { collection: 'bans', ids: [pair(threadId, accountId)] },
        { collection: 'moderators', ids: [pair(threadId, id)] },
        { collection: 'accounts', ids: [accountId, ...(found ? [text(found.by)] : [])] },
      ]
    },
    answer(documents, asked, { id, scopes }) {
      const [threadId, accountId] = [text(asked.threadId), text(asked.accountId)]
      const found = documents.get('bans', pair(threadId, accountId)) as Mark | undefined
      if (!found || !parentThread.exists(documents, asked)) return undefined
      const isModerator = documents.get('moderators', pair(threadId, id)) !== undefined
      const mayKnow = isModerator || id === accountId || scopes.has(ADMINISTRATE)
      return banIn(documents, accountId, found, mayKnow)
    },
  },
  {
    answers: 'view',
    path: '/api/forum/bans/{accountId}',
    name: 'siteBans.one',
    summary: 'A ban from everywhere',
    scope: READ,
    item: ban,
    touches({ accountId }, _, documents) {
      const found = documents.get('siteBans', text(accountId))
      return [
        { collection: 'siteBans', ids: [text(accountId)] },
        { collection: 'accounts', ids: [text(accountId), ...(found ? [text(found.by)] : [])] },
      ]
    },
    answer(documents, { accountId }, { id, scopes }) {
      const found = documents.get('siteBans', text(accountId)) as SiteBan | undefined
      return found && banIn(documents, text(accountId), found, id === accountId || scopes.has(ADMINISTRATE))
    },
  },
  {
    answers: 'page',
    path: '/api/forum/bans',
    name: 'siteBans.list',
    summary: 'The accounts that are banned everywhere, and who banned them',
    scope: READ,
    item: mark,
    from: 'siteBans',
    index: 'time',
    numbered: { sorts: { since: {} }, isByIndex: () => true },
    join: ({ _id, by }) => [{ collection: 'accounts', ids: [_id, text(by)] }],
    shape(document, { documents }) {
      const { _id, by, since } = document as SiteBan
      return { account: personIn(documents, _id), by: personIn(documents, by), since }
    },
  },
  {
    ...standing,
    path: '/api/forum/threads/{threadId}/me',
    name: 'threads.me',
    summary: 'Your standing in a thread: moderator, administrator, banned',
  },
  {
    ...standing,
    path: '/api/forum/me',
    name: 'me',
    summary: 'Your standing in a thread whose id is in the query string',
    params: z.object({ threadId }),
  },
] as const satisfies readonly Query[]
