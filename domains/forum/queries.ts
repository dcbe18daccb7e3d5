import type { Kinds } from './documents.ts'
import { accounts } from './queries/accounts.ts'
import { moderation } from './queries/moderation.ts'
import { composedPosts, postLists } from './queries/posts.ts'
import { threads } from './queries/threads.ts'
import { votes } from './queries/votes.ts'

export const queries = (kinds: Kinds) => [
  ...threads(kinds),
  ...postLists(kinds),
  ...composedPosts(kinds),
  ...votes(kinds),
  ...moderation(kinds),
  ...accounts(kinds),
]
