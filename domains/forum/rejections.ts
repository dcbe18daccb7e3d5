import type { Rejection } from './rule.ts'

/** The rejections that several rules share. */

/** An id is taken if a key is used again after the horizon, when nothing else remembers its first use. */
export const idTaken: Rejection = ({ thread, post }) =>
  (thread !== undefined || post !== undefined) && 'a thread or a post with this id already exists'

export const anonymous: Rejection = ({ actor }) => actor.id === 'anonymous' && 'log in first'

/** A thread may see a ban from everywhere a moment late. Bans do not bind administrators, who may lift them. */
export const banned: Rejection = ({ actor }) => {
  if (actor.isAdministrator) return false
  if (actor.isBannedEverywhere) return 'you are banned'
  return actor.isBannedFromThread && 'you are banned from this thread'
}

export const noThread: Rejection = ({ thread }) => !thread && 'the thread does not exist or was deleted'

/** The rejections that come first for every command in a thread. */
export const preconditions: Rejection[] = [anonymous, noThread, banned]

export const notModerator: Rejection = ({ actor }) =>
  !actor.isModerator && !actor.isAdministrator && 'only a moderator of the thread may do that'

export const notAdministrator: Rejection = ({ actor }) => !actor.isAdministrator && 'only an administrator may do that'

export const noPost: Rejection = ({ thread, post }) => {
  if (!post || post.thread !== thread?._id) return 'there is no such post in this thread'
  return post.isDeleted && 'the post is deleted'
}
