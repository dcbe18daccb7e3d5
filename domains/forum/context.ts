import type { Command, Fields, Json, Touch, View } from '../domain.ts'
import type { Account } from './accounts.ts'
import type { Post } from './posts.ts'
import type { Thread } from './threads.ts'

export const READ = 'forum:read'
export const WRITE = 'forum:write'
/** The scope of administrators, who may do in every thread what its moderators may. */
export const ADMINISTRATE = 'forum:administrate'

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
  id: string
  account: Account | undefined
  isModerator: boolean
  isBannedFromThread: boolean
  isBannedEverywhere: boolean
}

export const text = (value: Json | undefined): string => String(value ?? '')

/** The reason as a member, only if there is one. */
export const reasonOf = ({ reason }: Fields): Fields => (reason === undefined ? {} : { reason })

/** The id of a document about a thread or post and an account. Neither a thread's nor a post's id contains a colon. */
export const pair = (first: string, account: string): string => `${first}:${account}`

/** The thread of a stream; empty for the stream of an account. */
export const threadOf = (stream: string): string => (/^thread\/(.*)$/.exec(stream) ?? [])[1] ?? ''

const idsOf = ({ id, stream, actor, data }: Command) => ({
  thread: threadOf(stream),
  post: text(data.postId ?? id),
  actor,
  target: text(data.accountId ?? actor),
})

const WRITE_TEXTS = ['forum.threads.open', 'forum.posts.write', 'forum.posts.edit', 'forum.posts.delete']

const isVote = ({ type }: Command) => type === 'forum.votes.cast'

/** At most eleven documents, however long the thread is. Those of accounts belong to other streams and are only read. */
export function touches(command: Command): Touch[] {
  const { thread, post, actor, target } = idsOf(command)
  const accounts = ['accounts', 'siteBans'].map((collection) => ({ collection, ids: [actor, target] }))
  if (thread === '') return accounts
  const pairs = [pair(thread, actor), pair(thread, target)]
  return [
    ...accounts,
    { collection: 'threads', ids: [thread] },
    { collection: 'posts', ids: [post] },
    ...(isVote(command) ? [{ collection: 'votes', ids: [pair(post, actor)] }] : []),
    ...(WRITE_TEXTS.includes(command.type) ? [{ collection: 'postBeginnings', ids: [post] }] : []),
    { collection: 'moderators', ids: pairs },
    { collection: 'bans', ids: pairs },
  ]
}

export function readContext(command: Command, documents: View): ThreadContext {
  const { thread, post, actor, target } = idsOf(command)
  const find = (collection: string, id: string) => (thread === '' ? undefined : documents.get(collection, id))
  const standing = (id: string): Standing => ({
    id,
    account: documents.get('accounts', id) as Account | undefined,
    isModerator: find('moderators', pair(thread, id)) !== undefined,
    isBannedFromThread: find('bans', pair(thread, id)) !== undefined,
    isBannedEverywhere: documents.get('siteBans', id) !== undefined,
  })
  return {
    thread: find('threads', thread) as Thread | undefined,
    post: find('posts', post) as Post | undefined,
    vote: isVote(command) ? Number(find('votes', pair(post, actor))?.value ?? 0) : 0,
    actor: { ...standing(actor), isAdministrator: command.scopes.includes(ADMINISTRATE) },
    target: standing(target),
  }
}
