import { appendDomain, utcOf, wordsOf } from 'millrace'
import { commands, LEVELS } from './commands.ts'
import { indexes, schema } from './documents.ts'
import { queries } from './queries.ts'

/** Log events by organisation, in the order of the log, since each organisation has one partition. */
export default appendDomain({
  name: 'logs',
  topic: { name: 'logs', partitions: 6 },
  roles: { reader: ['logs:read'], writer: ['logs:write'], collector: ['logs:write', 'logs:all'] },
  commands,
  documents: {
    collection: 'logs',
    schema,
    indexes,
    /** Its `offset` in the log is the order of arrival, since an organisation has one partition. Its level is kept as a rank. */
    document: ({ data: { level, timestamp, traceId, attributes = {}, ...data }, time, offset }) => ({
      ...data,
      level: LEVELS.indexOf(level),
      timestamp: timestamp === undefined ? time : utcOf(timestamp),
      ...(traceId === undefined ? {} : { traceId }),
      attributes,
      time,
      offset,
      words: wordsOf(`${data.service} ${data.message}`),
    }),
    retentionDays: 30,
  },
  queries,
})
