import type { Command, Fields } from '../domain.ts'
import { wordsOf } from '../words.ts'
import { LEVELS } from './commands.ts'

/**
 * `offset` is where the event stands in the log: an organisation has one partition, so this is the order in which its events
 * came. A level is kept as its rank.
 */
export function document({ data, time, offset }: Command): Fields {
  const { organizationId = '', level, message = '', service = '', timestamp, traceId, attributes = {} } = data
  return {
    organizationId,
    level: LEVELS.indexOf(level as (typeof LEVELS)[number]),
    message,
    service,
    timestamp: timestamp === undefined ? time : new Date(String(timestamp)).toISOString(),
    ...(traceId === undefined ? {} : { traceId }),
    attributes,
    time,
    offset,
    words: wordsOf(`${service} ${message}`),
  }
}
