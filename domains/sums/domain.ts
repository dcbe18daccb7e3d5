import type { DecideDomain } from '../domain.ts'
import { commands } from './commands.ts'
import { decide } from './decide.ts'
import { collections, project, tally } from './documents.ts'
import { queries } from './queries.ts'
import { record } from './record.ts'

/** Sums of two numbers, and the running total of them all. */
export default {
  kind: 'decide',
  name: 'sums',
  topic: { name: 'summation', partitions: 3, record, plain: 'sums.add' },
  ordering: 'unordered',
  commands,
  collections,
  touches: ({ id }) => [{ collection: 'sums', ids: [id] }],
  decide,
  project,
  tally,
  queries,
  roles: { member: ['sums:read', 'sums:write'], administrator: ['sums:import'] },
} satisfies DecideDomain
