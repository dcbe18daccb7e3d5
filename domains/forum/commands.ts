import { z } from 'zod'
import type { CommandType, Fields, Route } from '../domain.ts'
import { LONGEST_NAME } from './accounts.ts'
import { isVisible, straight } from './characters.ts'
import { ADMINISTRATE, WRITE } from './here.ts'

/** Characters as people count them, behind and before which there is no space. */
const characters = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .refine((value) => [...value].length <= most, { error: `takes ${most} characters at most` })
    .refine(isVisible, { error: 'has nothing to be seen in it' })
    .meta({ maxLength: most })

/** What stands in one line with others'. */
const line = (most: number) =>
  characters(most).refine((value) => value === straight(value), {
    error: 'takes no U+0000 and no bidirectional controls',
  })

const title = line(256)
const text = characters(10_000)
export const threadId = z.string().regex(/^[\w-]{1,64}$/)
export const postId = threadId
/** A subject, as it is accepted in a token. */
const accountId = z.string().regex(/^[!#$&-[\]-~]{1,200}$/)

const thread = z.strictObject({ threadId })
const post = z.strictObject({ threadId, postId })
const named = z.strictObject({ threadId, accountId })
const account = z.strictObject({ accountId })

/** The same command with both ids in the body or in the query string, as clients of other forums send them. */
const withBothIds = <Method extends Route['method']>(method: Method, path: string) =>
  ({ method, path, body: 'json', query: true }) as const

/** For moderators and administrators, and for the account itself. */
const reason = characters(1000).exactOptional()

const inThread = ({ threadId }: Fields): string => `thread/${threadId}`
const ofAccount = ({ accountId }: Fields): string => `account/${accountId}`
const ofActor = (_: Fields, __: string, actor: string): string => `account/${actor}`

export const commands = {
  'forum.threads.open': {
    summary: 'Open a thread, with its first post or without one; who opens it moderates it',
    data: z.strictObject({ title, text: text.exactOptional() }),
    scope: WRITE,
    stream: (_, id) => `thread/${id}`,
    routes: [{ method: 'POST', path: '/api/forum/threads', body: 'json', created: '/api/forum/threads/{id}' }],
  },
  'forum.threads.change': {
    summary: 'Change the title of a thread, as its moderator',
    data: thread.extend({ title }),
    scope: WRITE,
    stream: inThread,
    routes: [{ method: 'PATCH', path: '/api/forum/threads/{threadId}', body: 'json' }],
  },
  'forum.threads.delete': {
    summary: 'Delete a thread with all that is in it, as its moderator',
    data: thread,
    scope: WRITE,
    stream: inThread,
    routes: [{ method: 'DELETE', path: '/api/forum/threads/{threadId}', body: 'none' }],
  },
  'forum.posts.write': {
    summary: 'Write a post in a thread',
    data: thread.extend({ text }),
    scope: WRITE,
    stream: inThread,
    routes: [
      {
        method: 'POST',
        path: '/api/forum/threads/{threadId}/posts',
        body: 'json',
        created: '/api/forum/threads/{threadId}/posts/{id}',
      },
    ],
  },
  'forum.posts.edit': {
    summary: "Change the text of one's own post",
    data: post.extend({ text }),
    scope: WRITE,
    stream: inThread,
    routes: [{ method: 'PATCH', path: '/api/forum/threads/{threadId}/posts/{postId}', body: 'json' }],
  },
  'forum.posts.delete': {
    summary: "Delete one's own post, or any as a moderator",
    data: post,
    scope: WRITE,
    stream: inThread,
    routes: [{ method: 'DELETE', path: '/api/forum/threads/{threadId}/posts/{postId}', body: 'none' }],
  },
  'forum.votes.cast': {
    summary: 'Vote on a post: up, down, or not any more',
    data: post.extend({ value: z.literal([1, 0, -1]) }),
    scope: WRITE,
    stream: inThread,
    routes: [{ method: 'PUT', path: '/api/forum/threads/{threadId}/posts/{postId}/vote', body: 'json' }],
  },
  'forum.moderators.appoint': {
    summary: 'Make an account a moderator of a thread, as one of them',
    data: named,
    scope: WRITE,
    stream: inThread,
    routes: [
      { method: 'PUT', path: '/api/forum/threads/{threadId}/moderators/{accountId}', body: 'none' },
      withBothIds('POST', '/api/forum/moderators'),
      withBothIds('PUT', '/api/forum/moderators'),
    ],
  },
  'forum.moderators.remove': {
    summary: 'Have one moderator of a thread less, but never none',
    data: named,
    scope: WRITE,
    stream: inThread,
    routes: [
      { method: 'DELETE', path: '/api/forum/threads/{threadId}/moderators/{accountId}', body: 'none' },
      withBothIds('DELETE', '/api/forum/moderators'),
    ],
  },
  'forum.bans.add': {
    summary: 'Ban an account from a thread, as its moderator, with a reason or without one',
    data: named.extend({ reason }),
    scope: WRITE,
    stream: inThread,
    routes: [
      { method: 'PUT', path: '/api/forum/threads/{threadId}/bans/{accountId}', body: 'json', query: true },
      withBothIds('POST', '/api/forum/bans'),
      withBothIds('PUT', '/api/forum/bans'),
    ],
  },
  'forum.bans.lift': {
    summary: 'Lift a ban from a thread, as its moderator',
    data: named,
    scope: WRITE,
    stream: inThread,
    routes: [
      { method: 'DELETE', path: '/api/forum/threads/{threadId}/bans/{accountId}', body: 'none' },
      withBothIds('DELETE', '/api/forum/bans'),
    ],
  },
  'forum.siteBans.add': {
    summary: 'Ban an account everywhere, as an administrator, with a reason or without one',
    data: account.extend({ reason }),
    scope: ADMINISTRATE,
    stream: ofAccount,
    routes: [{ method: 'PUT', path: '/api/forum/bans/{accountId}', body: 'json', query: true }],
  },
  'forum.siteBans.lift': {
    summary: 'Lift a ban from everywhere, as an administrator',
    data: account,
    scope: ADMINISTRATE,
    stream: ofAccount,
    routes: [{ method: 'DELETE', path: '/api/forum/bans/{accountId}', body: 'none' }],
  },
  'forum.accounts.open': {
    summary: 'At a first log-in: what the token says of who it is',
    data: z.strictObject({ name: z.string().max(1000).exactOptional(), email: z.string().max(1000).exactOptional() }),
    scope: WRITE,
    welcome: true,
    stream: ofActor,
    // For pages, right after a log-in: it brings the welcome along, and changes nothing itself.
    routes: [{ method: 'POST', path: '/api/accounts/me', body: 'none' }],
  },
  'forum.accounts.change': {
    summary: "Change one's own name and address",
    data: z.strictObject({ name: line(LONGEST_NAME), email: z.email().max(254).exactOptional() }),
    scope: WRITE,
    stream: ofActor,
    routes: [{ method: 'PUT', path: '/api/accounts/me', body: 'json' }],
  },
} satisfies { [type: string]: CommandType }
