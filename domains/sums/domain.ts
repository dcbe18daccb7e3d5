import type { DecideDomain } from '../domain.ts'
import { commands } from './commands.ts'
import { queries } from './queries.ts'
import { record } from './record.ts'
import { decide, project, tally } from './rules.ts'

/** Sums of two numbers, and the running total of them all. */
export default {
  kind: 'decide',
  name: 'sums',
  topic: { name: 'summation', partitions: 3, record, plain: 'sums.add' },
  ordering: 'unordered',
  commands,
  collections: [{ name: 'sums', indexes: { time: { fields: ['time'] } } }],
  touches: ({ id }) => [{ collection: 'sums', ids: [id] }],
  decide,
  project,
  tally,
  queries,
  roles: { member: ['sums:read', 'sums:write'], administrator: ['sums:import'] },
} satisfies DecideDomain
