import { z } from 'zod'
import type { AppendDomain } from '../domain.ts'
import { commands } from './commands.ts'
import { documents } from './documents.ts'
import { queries } from './queries.ts'

/** Titles of tutorials. The topic carries bare titles, as the system that it replaces wrote and read them. */
export default {
  kind: 'append',
  name: 'tutorials',
  topic: {
    name: 'tutorials-topic',
    partitions: 3,
    record: {
      // Not text/plain: functions-framework breaks on a CloudEvent whose body it has parsed to a string.
      contentType: 'text/vnd.millrace.title; charset=utf-8',
      value: z.string(),
      encode: (data) => (data as { title: string }).title,
      decode: (value, { id, type }) => (type === 'tutorials.import' ? { id, title: value } : { title: value }),
    },
    plain: 'tutorials.publish',
  },
  commands,
  documents,
  queries,
  roles: { member: ['tutorials:read', 'tutorials:write'], administrator: ['tutorials:import'] },
} satisfies AppendDomain
