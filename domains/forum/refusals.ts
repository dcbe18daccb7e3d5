import type { Refusal } from './rule.ts'

/** Why somebody may not do something, for reasons that several rules share. */

/** Ids come back when a key is used again after the horizon: then nobody else knows that there was one. */
export const taken: Refusal = ({ thread, post }) =>
  (thread !== undefined || post !== undefined) && 'there is something with this id already'

export const anonymous: Refusal = ({ actor }) => actor.id === 'anonymous' && 'log in first'

/** Of a ban from everywhere a thread may hear a moment late. Bans don't bind who may lift them. */
export const banned: Refusal = ({ actor }) => {
  if (actor.isAdministrator) return false
  if (actor.isBannedEverywhere) return 'you are banned'
  return actor.isBannedHere && 'you are banned from this thread'
}

export const noThread: Refusal = ({ thread }) => !thread && 'there is no such thread, or not any more'

/** What stands against doing anything in a thread. */
export const outside: Refusal[] = [anonymous, noThread, banned]

export const notModerator: Refusal = ({ actor }) =>
  !actor.isModerator && !actor.isAdministrator && 'only a moderator of the thread may do that'

export const notAdministrator: Refusal = ({ actor }) => !actor.isAdministrator && 'only an administrator may do that'

export const noPost: Refusal = ({ thread, post }) => {
  if (!post || post.thread !== thread?._id) return 'there is no such post in this thread'
  return post.isDeleted && 'the post is deleted'
}
