import type { Query } from '../query.ts'
import { accounts } from './queries/accounts.ts'
import { moderation } from './queries/moderation.ts'
import { posts } from './queries/posts.ts'
import { threads } from './queries/threads.ts'

export const queries = [...threads, ...posts, ...moderation, ...accounts] as const satisfies readonly Query[]
