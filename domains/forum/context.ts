import type { CommandOf, ProjectionsOf, Rejection, RulesOf, TouchOf } from 'millrace'
import { ADMINISTRATE, type commands } from './commands.ts'
import type { Account, collections, Documents, Post, Thread } from './documents.ts'
import type { events } from './events.ts'

export type Command = CommandOf<typeof commands>
export type Rules = RulesOf<typeof commands, typeof events, ThreadContext>
export type Projections = ProjectionsOf<typeof events, typeof collections>
/** A rejection that any command may have. */
export type AnyRejection = Rejection<Command, ThreadContext>

/** The documents that the rules of a command look at. For a command of an account there is no thread and no post. */
export interface ThreadContext {
  thread: Thread | undefined
  post: Post | undefined
  /** The actor's vote on this post: 1, -1, or 0 for none. Read only for the command that votes. */
  vote: number
  actor: Standing & { isAdministrator: boolean }
  /** The account that the command appoints, removes or bans. */
  target: Standing
}

interface Standing {
  account: Account | undefined
  isModerator: boolean
  isBannedFromThread: boolean
  isBannedEverywhere: boolean
}

/** The reason as a member, only if there is one. */
export const reasonOf = ({ reason }: { reason?: string }): { reason?: string } =>
  reason === undefined ? {} : { reason }

/** The id of a document about a thread or post and an account. Neither a thread's nor a post's id contains a colon. */
export const pair = (first: string, account: string): string => `${first}:${account}`

/** The thread of a stream; empty for the stream of an account. */
export const threadOf = (stream: string): string => (/^thread\/(.*)$/.exec(stream) ?? [])[1] ?? ''

const idsOf = ({ id, stream, actor, data }: Command) => ({
  thread: threadOf(stream),
  post: 'postId' in data ? data.postId : id,
  actor,
  target: 'accountId' in data ? data.accountId : actor,
})

const WRITE_TEXTS: Command['type'][] = [
  'forum.threads.open',
  'forum.posts.write',
  'forum.posts.edit',
  'forum.posts.delete',
]

const isVote = ({ type }: Command) => type === 'forum.votes.cast'

/** At most eleven documents, however long the thread is. Those of accounts belong to other streams and are only read. */
export function touches(command: Command): TouchOf<typeof collections>[] {
  const { thread, post, actor, target } = idsOf(command)
  const accounts = (['accounts', 'siteBans'] as const).map((collection) => ({ collection, ids: [actor, target] }))
  if (thread === '') return accounts
  const pairs = [pair(thread, actor), pair(thread, target)]
  return [
    ...accounts,
    { collection: 'threads', ids: [thread] },
    { collection: 'posts', ids: [post] },
    ...(isVote(command) ? [{ collection: 'votes' as const, ids: [pair(post, actor)] }] : []),
    ...(WRITE_TEXTS.includes(command.type) ? [{ collection: 'postBeginnings' as const, ids: [post] }] : []),
    { collection: 'moderators', ids: pairs },
    { collection: 'bans', ids: pairs },
  ]
}

export function context(command: Command, documents: Documents): ThreadContext {
  const { thread, post, actor, target } = idsOf(command)
  const inThread = thread === '' ? undefined : documents
  const standing = (id: string): Standing => ({
    account: documents.get('accounts', id),
    isModerator: inThread?.get('moderators', pair(thread, id)) !== undefined,
    isBannedFromThread: inThread?.get('bans', pair(thread, id)) !== undefined,
    isBannedEverywhere: documents.get('siteBans', id) !== undefined,
  })
  return {
    thread: inThread?.get('threads', thread),
    post: inThread?.get('posts', post),
    vote: isVote(command) ? (inThread?.get('votes', pair(post, actor))?.value ?? 0) : 0,
    actor: { ...standing(actor), isAdministrator: command.scopes.includes(ADMINISTRATE) },
    target: standing(target),
  }
}
