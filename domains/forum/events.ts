import { z } from 'zod'

const titled = z.strictObject({ title: z.string() })
const written = z.strictObject({ post: z.string(), text: z.string() })
const aboutAccount = z.strictObject({ account: z.string() })
const profile = z.strictObject({ name: z.string(), email: z.string().exactOptional() })
const reason = z.string().exactOptional()
const nothing = z.strictObject({})

/** The data of the events, which are kept for ever. A member that a later version adds must be optional. */
export const events = {
  'forum.thread-opened': titled,
  'forum.thread-changed': titled,
  'forum.thread-deleted': nothing,
  'forum.post-written': written,
  'forum.post-edited': written,
  'forum.post-deleted': written.pick({ post: true }),
  'forum.vote-cast': z.strictObject({ post: z.string(), value: z.literal([1, 0, -1]) }),
  'forum.moderator-appointed': aboutAccount,
  'forum.moderator-removed': aboutAccount,
  'forum.banned': aboutAccount.extend({ reason }),
  'forum.ban-lifted': aboutAccount,
  'forum.account-opened': profile,
  'forum.account-changed': profile,
  'forum.banned-everywhere': z.strictObject({ reason }),
  'forum.ban-everywhere-lifted': nothing,
}
