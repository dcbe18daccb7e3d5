import type { DecideDomain } from '#domains/domain.ts'
import { commands, MANAGE, READ, WRITE } from './commands.ts'
import { decide, touches } from './decide.ts'
import { collections, project, tally } from './documents.ts'
import { queries } from './queries.ts'

/** A shop: products with a stock, orders and customers. */
export default {
  kind: 'decide',
  name: 'orders',
  topic: { name: 'orders', partitions: 6 },
  ordering: 'ordered',
  roles: { member: [READ, WRITE], administrator: [READ, WRITE, MANAGE] },
  commands,
  collections,
  touches,
  decide,
  project,
  tally,
  queries,
} satisfies DecideDomain
