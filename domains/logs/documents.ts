import type { Collection, Command, Documents, Fields } from '../domain.ts'
import { utcOf } from '../moment.ts'
import { wordsOf } from '../words.ts'
import { LEVELS } from './commands.ts'

/** In each of them an organisation's events are in the order of the log, except by time: then they are in that of their acceptance. */
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
 * `offset` is where the event stands in the log: an organisation has one partition, so this is the order in which its events
 * came. A level is kept as its rank.
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
