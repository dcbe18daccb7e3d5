import type { Collection, Command, Documents, Fields } from '../domain.ts'
import { utcOf } from '../moment.ts'
import { wordsOf } from '../words.ts'
import { LEVELS } from './commands.ts'

/** Each index has an organisation's events in the order of the log, but `time` has them in the order of acceptance. */
const collection: Collection = {
  name: 'logs',
  indexes: {
    all: { fields: ['organizationId', 'offset'] },
    time: { fields: ['organizationId', 'time', 'offset'] },
    level: { fields: ['organizationId', 'level', 'offset'] },
    service: { fields: ['organizationId', 'service', 'offset'] },
    trace: { fields: ['organizationId', 'traceId', 'offset'] },
    words: { fields: ['organizationId', 'words', 'offset'], each: 'words' },
  },
}

/**
 * The document of a log event. Its `offset` in the log is the order of arrival, since an organisation has one partition. Its
 * level is kept as a rank.
 */
function document({ data, time, offset }: Command): Fields {
  const { organizationId = '', level, message = '', service = '', timestamp, traceId, attributes = {} } = data
  return {
    organizationId,
    level: LEVELS.indexOf(level as (typeof LEVELS)[number]),
    message,
    service,
    timestamp: timestamp === undefined ? time : utcOf(String(timestamp)),
    ...(traceId === undefined ? {} : { traceId }),
    attributes,
    time,
    offset,
    words: wordsOf(`${service} ${message}`),
  }
}

export const documents: Documents = { collection, document, retentionDays: 30 }
