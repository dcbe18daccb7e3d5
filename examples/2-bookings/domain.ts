import type { DecideDomain } from '#domains/domain.ts'
import { commands, MANAGE, READ, WRITE } from './commands.ts'
import { decide, touches } from './decide.ts'
import { collections, project } from './documents.ts'
import { queries } from './queries.ts'

/** Rooms that are booked by the day. */
export default {
  kind: 'decide',
  name: 'bookings',
  topic: { name: 'bookings', partitions: 3 },
  // Commands of one room do not commute: the first one gets the day.
  ordering: 'ordered',
  roles: { member: [READ, WRITE], administrator: [READ, WRITE, MANAGE] },
  commands,
  collections,
  touches,
  decide,
  project,
  queries,
} satisfies DecideDomain
