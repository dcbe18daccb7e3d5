import type { AppendDomain } from '#domains/domain.ts'
import { commands } from './commands.ts'
import { queries } from './queries.ts'

/** The commands of operators about letters. Each redrive and each discard is a document, with its outcome. */
export default {
  kind: 'append',
  name: 'letters',
  topic: { name: 'letters', partitions: 3 },
  commands,
  documents: {
    collection: { name: 'redrives', indexes: { time: { fields: ['time'] } } },
    document: ({ type, time, actor, data }) => ({ type, time, actor, asked: data }),
  },
  queries,
  roles: { administrator: ['letters:read', 'letters:write'] },
  contract: { commands, queries },
} satisfies AppendDomain & { contract: object }
