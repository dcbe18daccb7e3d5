import { z } from 'zod'
import type { AppendDomain } from '../domain.ts'
import { commands } from './commands.ts'
import { documents } from './documents.ts'
import { queries } from './queries.ts'

/** Titles of tutorials. The topic carries bare titles, as in the system that Millrace replaces. */
export default {
  kind: 'append',
  name: 'tutorials',
  topic: {
    name: 'tutorials-topic',
    partitions: 3,
    record: {
      // functions-framework parses a text/plain body to a string, and then fails on the CloudEvent.
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
