import { defineCommands, type Route } from 'millrace'
import { z } from 'zod'
import { isVisible, stripControls } from './characters.ts'

export const READ = 'forum:read'
export const WRITE = 'forum:write'
/** The scope of administrators, who may do in every thread what its moderators may. */
export const ADMINISTRATE = 'forum:administrate'

/** The number of characters of an account's name. */
export const MAX_NAME = 100

/** A text of at most `max` code points, without the space around it. */
const characters = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .refine((value) => [...value].length <= max, { error: `must have at most ${max} characters` })
    .refine(isVisible, { error: 'must contain a visible character' })
    .meta({ maxLength: max })

/** A text that is shown in one line with other texts. */
const line = (max: number) =>
  characters(max).refine((value) => value === stripControls(value), {
    error: 'must not contain U+0000 or bidirectional controls',
  })

const title = line(256)
const text = characters(10_000)
export const threadId = z.string().regex(/^[\w-]{1,64}$/)
export const postId = threadId
/** The subject of a token. */
const accountId = z.string().regex(/^[!#$&-[\]-~]{1,200}$/)

const thread = z.strictObject({ threadId })
const post = z.strictObject({ threadId, postId })
const target = z.strictObject({ threadId, accountId })
const account = z.strictObject({ accountId })

/** A route with both ids in the body or in the query string, for clients of other forums. */
const withBothIds = <Method extends Route['method']>(method: Method, path: string) =>
  ({ method, path, body: 'json', query: true }) as const

/** The reason of a ban. Moderators, administrators and the account itself can read it. */
const reason = characters(1000).exactOptional()

const inThread = { scope: WRITE, stream: ({ threadId }: { threadId: string }) => `thread/${threadId}` } as const
const ofAccount = {
  scope: ADMINISTRATE,
  stream: ({ accountId }: { accountId: string }) => `account/${accountId}`,
} as const
const ofActor = { scope: WRITE, stream: (_: object, __: string, actor: string) => `account/${actor}` } as const

export const commands = defineCommands({
  'forum.threads.open': {
    summary: 'Open a thread, with or without a first post, and become its moderator',
    data: z.strictObject({ title, text: text.exactOptional() }),
    scope: WRITE,
    stream: (_, id) => `thread/${id}`,
    routes: [{ method: 'POST', path: '/api/forum/threads', body: 'json', created: '/api/forum/threads/{id}' }],
  },
  'forum.threads.change': {
    summary: 'Change the title of a thread, as a moderator',
    data: thread.extend({ title }),
    ...inThread,
    routes: [{ method: 'PATCH', path: '/api/forum/threads/{threadId}', body: 'json' }],
  },
  'forum.threads.delete': {
    summary: 'Delete a thread with its posts, as a moderator',
    data: thread,
    ...inThread,
    routes: [{ method: 'DELETE', path: '/api/forum/threads/{threadId}', body: 'none' }],
  },
  'forum.posts.write': {
    summary: 'Write a post in a thread',
    data: thread.extend({ text }),
    ...inThread,
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
    summary: 'Change the text of your own post',
    data: post.extend({ text }),
    ...inThread,
    routes: [{ method: 'PATCH', path: '/api/forum/threads/{threadId}/posts/{postId}', body: 'json' }],
  },
  'forum.posts.delete': {
    summary: 'Delete your own post, or any post as a moderator',
    data: post,
    ...inThread,
    routes: [{ method: 'DELETE', path: '/api/forum/threads/{threadId}/posts/{postId}', body: 'none' }],
  },
  'forum.votes.cast': {
    summary: 'Vote on a post: 1 is up, -1 is down, 0 takes the vote back',
    data: post.extend({ value: z.literal([1, 0, -1]) }),
    ...inThread,
    routes: [{ method: 'PUT', path: '/api/forum/threads/{threadId}/posts/{postId}/vote', body: 'json' }],
  },
  'forum.moderators.appoint': {
    summary: 'Appoint a moderator of a thread, as a moderator',
    data: target,
    ...inThread,
    routes: [
      { method: 'PUT', path: '/api/forum/threads/{threadId}/moderators/{accountId}', body: 'none' },
      withBothIds('POST', '/api/forum/moderators'),
      withBothIds('PUT', '/api/forum/moderators'),
    ],
  },
  'forum.moderators.remove': {
    summary: 'Remove a moderator; the last one cannot be removed',
    data: target,
    ...inThread,
    routes: [
      { method: 'DELETE', path: '/api/forum/threads/{threadId}/moderators/{accountId}', body: 'none' },
      withBothIds('DELETE', '/api/forum/moderators'),
    ],
  },
  'forum.bans.add': {
    summary: 'Ban an account from a thread, as a moderator, with or without a reason',
    data: target.extend({ reason }),
    ...inThread,
    routes: [
      { method: 'PUT', path: '/api/forum/threads/{threadId}/bans/{accountId}', body: 'json', query: true },
      withBothIds('POST', '/api/forum/bans'),
      withBothIds('PUT', '/api/forum/bans'),
    ],
  },
  'forum.bans.lift': {
    summary: 'Lift a ban from a thread, as a moderator',
    data: target,
    ...inThread,
    routes: [
      { method: 'DELETE', path: '/api/forum/threads/{threadId}/bans/{accountId}', body: 'none' },
      withBothIds('DELETE', '/api/forum/bans'),
    ],
  },
  'forum.siteBans.add': {
    summary: 'Ban an account everywhere, as an administrator, with or without a reason',
    data: account.extend({ reason }),
    ...ofAccount,
    routes: [{ method: 'PUT', path: '/api/forum/bans/{accountId}', body: 'json', query: true }],
  },
  'forum.siteBans.lift': {
    summary: 'Lift a ban from everywhere, as an administrator',
    data: account,
    ...ofAccount,
    routes: [{ method: 'DELETE', path: '/api/forum/bans/{accountId}', body: 'none' }],
  },
  'forum.accounts.open': {
    summary: "Open your account with the token's name and address",
    data: z.strictObject({ name: z.string().max(1000).exactOptional(), email: z.string().max(1000).exactOptional() }),
    ...ofActor,
    welcome: true,
    // A web page calls this after a log-in. It triggers the welcome command, and changes nothing itself.
    routes: [{ method: 'POST', path: '/api/accounts/me', body: 'none' }],
  },
  'forum.accounts.change': {
    summary: 'Change your own name and address',
    data: z.strictObject({ name: line(MAX_NAME), email: z.email().max(254).exactOptional() }),
    ...ofActor,
    routes: [{ method: 'PUT', path: '/api/accounts/me', body: 'json' }],
  },
})
