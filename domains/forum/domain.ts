import type { DecideDomain } from '../domain.ts'
import { commands } from './commands.ts'
import { ADMINISTRATE, READ, touches, WRITE } from './context.ts'
import { decide, project } from './decide.ts'
import { collections } from './documents.ts'
import { queries } from './queries.ts'

/** Threads with posts, votes and moderators, and the accounts of their authors. */
export default {
  kind: 'decide',
  name: 'forum',
  topic: { name: 'forum', partitions: 6 },
  ordering: 'ordered',
  roles: { member: [READ, WRITE], administrator: [READ, WRITE, ADMINISTRATE] },
  commands,
  collections,
  touches,
  decide,
  project,
  queries,
} satisfies DecideDomain
