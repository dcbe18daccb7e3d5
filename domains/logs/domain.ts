import type { AppendDomain } from '../domain.ts'
import { commands } from './commands.ts'
import { documents } from './documents.ts'
import { queries } from './queries.ts'

/** Log events by organisation, in the order of the log, since each organisation has one partition. */
export default {
  kind: 'append',
  name: 'logs',
  topic: { name: 'logs', partitions: 6 },
  commands,
  documents,
  queries,
  roles: { reader: ['logs:read'], writer: ['logs:write'], collector: ['logs:write', 'logs:all'] },
} satisfies AppendDomain
