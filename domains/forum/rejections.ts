import type { AnyRejection } from './context.ts'

/** The rejections that several rules share. */

/** An id is taken if a key is used again after the horizon, when nothing else remembers its first use. */
export const ID_TAKEN = 'a thread or a post with this id already exists'

export const anonymous: AnyRejection = ({ actor }) => actor === 'anonymous' && 'log in first'

/** A thread may see a ban from everywhere a moment late. Bans do not bind administrators, who may lift them. */
export const banned: AnyRejection = (_, { actor }) => {
  if (actor.isAdministrator) return false
  if (actor.isBannedEverywhere) return 'you are banned'
  return actor.isBannedFromThread && 'you are banned from this thread'
}

const noThread: AnyRejection = (_, { thread }) => !thread && 'the thread does not exist or was deleted'

/** The rejections that come first for every command in a thread. */
export const preconditions = [anonymous, noThread, banned]

export const notModerator: AnyRejection = (_, { actor }) =>
  !actor.isModerator && !actor.isAdministrator && 'only a moderator of the thread may do that'

export const notAdministrator: AnyRejection = (_, { actor }) =>
  !actor.isAdministrator && 'only an administrator may do that'

export const noPost: AnyRejection = (_, { thread, post }) => {
  if (!post || post.thread !== thread?._id) return 'there is no such post in this thread'
  return post.isDeleted && 'the post is deleted'
}
