import type { Command, Fields, Json, Touch, View } from '../domain.ts'
import type { Account } from './accounts.ts'
import type { Post } from './posts.ts'
import type { Thread } from './threads.ts'

export const READ = 'forum:read'
export const WRITE = 'forum:write'
/** Who has it may do everywhere what a moderator may do in a thread. */
export const ADMINISTRATE = 'forum:administrate'

/** What is known of those whom a command is about. */
export interface Here {
  thread: Thread | undefined
  post: Post | undefined
  /** Where the command is a vote, the one that the actor has on this post: 1, -1, or 0 for none. */
  vote: number
  actor: Standing & { isAdministrator: boolean }
  /** Who is appointed, removed, banned. */
  named: Standing
}

interface Standing {
  id: string
  account: Account | undefined
  isModerator: boolean
  isBannedHere: boolean
  isBannedEverywhere: boolean
}

export const text = (value: Json | undefined): string => String(value ?? '')

/** A member only where there is something in it. */
export const reasonOf = ({ reason }: Fields): Fields => (reason === undefined ? {} : { reason })

/** Of what two of them share. The id of a thread and of a post is a command's: it has no colon in it. */
export const pair = (first: string, account: string): string => `${first}:${account}`

/** The thread that a stream is; none for that of an account. */
export const threadOf = (stream: string): string => (/^thread\/(.*)$/.exec(stream) ?? [])[1] ?? ''

const namedIn = ({ id, stream, actor, data }: Command) => ({
  thread: threadOf(stream),
  post: text(data.postId ?? id),
  actor,
  named: text(data.accountId ?? actor),
})

const WRITE_TEXTS = ['forum.threads.open', 'forum.posts.write', 'forum.posts.edit', 'forum.posts.delete']

const isVote = ({ type }: Command) => type === 'forum.votes.cast'

/** A handful of documents by their ids, however long the thread is. Those of accounts are of other streams: they are read only. */
export function touches(command: Command): Touch[] {
  const { thread, post, actor, named } = namedIn(command)
  const accounts = ['accounts', 'siteBans'].map((collection) => ({ collection, ids: [actor, named] }))
  if (thread === '') return accounts
  const pairs = [pair(thread, actor), pair(thread, named)]
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

export function hereOf(command: Command, documents: View): Here {
  const { thread, post, actor, named } = namedIn(command)
  const isInThread = thread !== ''
  const there = (collection: string, id: string) => (isInThread ? documents.get(collection, id) : undefined)
  const standing = (id: string): Standing => ({
    id,
    account: documents.get('accounts', id) as Account | undefined,
    isModerator: there('moderators', pair(thread, id)) !== undefined,
    isBannedHere: there('bans', pair(thread, id)) !== undefined,
    isBannedEverywhere: documents.get('siteBans', id) !== undefined,
  })
  return {
    thread: there('threads', thread) as Thread | undefined,
    post: there('posts', post) as Post | undefined,
    vote: isVote(command) ? Number(there('votes', pair(post, actor))?.value ?? 0) : 0,
    actor: { ...standing(actor), isAdministrator: command.scopes.includes(ADMINISTRATE) },
    named: standing(named),
  }
}
