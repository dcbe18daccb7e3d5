import { decideDomain } from 'millrace'
import * as accounts from './accounts.ts'
import { ADMINISTRATE, commands, READ, WRITE } from './commands.ts'
import { context, touches } from './context.ts'
import { collections } from './documents.ts'
import { events } from './events.ts'
import * as moderation from './moderation.ts'
import * as posts from './posts.ts'
import { queries } from './queries.ts'
import * as threads from './threads.ts'
import * as votes from './votes.ts'

/** Threads with posts, votes and moderators, and the accounts of their authors. */
export default decideDomain({
  name: 'forum',
  topic: { name: 'forum', partitions: 6 },
  ordering: 'ordered',
  roles: { member: [READ, WRITE], administrator: [READ, WRITE, ADMINISTRATE] },
  commands,
  events,
  collections,
  touches,
  context,
  rules: { ...threads.rules, ...posts.rules, ...votes.rules, ...moderation.rules, ...accounts.rules },
  projections: {
    ...threads.projections,
    ...posts.projections,
    ...votes.projections,
    ...moderation.projections,
    ...accounts.projections,
  },
  queries,
})
