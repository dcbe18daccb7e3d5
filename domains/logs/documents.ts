import type { QueryKinds } from 'millrace'
import { z } from 'zod'
import { logEvent } from './commands.ts'

/** A stored log event. Its level is a rank, and its offset in the log is the order of arrival. */
export const schema = logEvent.required({ timestamp: true, attributes: true }).extend({
  level: z.int(),
  time: z.iso.datetime(),
  offset: z.int(),
  words: z.array(z.string()),
})

/** Each index has an organisation's events in the order of the log, but `time` has them in the order of acceptance. */
export const indexes = {
  all: { fields: ['organizationId', 'offset'] },
  time: { fields: ['organizationId', 'time', 'offset'] },
  level: { fields: ['organizationId', 'level', 'offset'] },
  service: { fields: ['organizationId', 'service', 'offset'] },
  trace: { fields: ['organizationId', 'traceId', 'offset'] },
  words: { fields: ['organizationId', 'words', 'offset'], each: 'words' },
} as const

export type LogEvent = { _id: string } & z.output<typeof schema>
export type Kinds = QueryKinds<{ readonly logs: { schema: typeof schema; indexes: typeof indexes } }>
