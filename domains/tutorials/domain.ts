import { z } from 'zod'
import type { AppendDomain, CommandType, Documents } from '../domain.ts'
import { queries } from './queries.ts'

const MAX_TITLE = 10_000

const commands = {
  'tutorials.publish': {
    summary: 'Publish a tutorial',
    scope: 'tutorials:write',
    data: z.strictObject({ title: z.string().trim().min(1).max(MAX_TITLE) }),
    stream: (_, id) => `tutorial/${id}`,
    routes: [
      { method: 'POST', path: '/api/tutorials', body: 'json', created: '/api/tutorials/{id}' },
      {
        method: 'POST',
        path: '/api/publish',
        body: 'text',
        read: (title) => ({ title }),
        text: 'Tutorial published.',
      },
    ],
  },
  'tutorials.import': {
    summary: 'Import tutorials with the ids and the order that they had in another system',
    scope: 'tutorials:import',
    data: z.strictObject({
      id: z
        .string()
        .regex(/^[0-9a-f]{24}$/, 'must be an ObjectId of 24 hexadecimal digits')
        .describe('An ObjectId, which contains the time of publishing'),
      title: z.string().min(1).max(MAX_TITLE).describe('Kept as it is, with all spaces'),
    }),
    id: ({ id }) => String(id),
    stream: (_, id) => `tutorial/${id}`,
    routes: [
      {
        method: 'POST',
        path: '/api/tutorials/import',
        body: 'batch',
        maxBytes: 8 * 1024 * 1024,
        created: '/api/tutorials/{id}',
      },
    ],
  },
} satisfies { [type: string]: CommandType }

/** The time in the first eight digits of an ObjectId, which count seconds. */
const timeOf = (objectId: string): string => new Date(Number.parseInt(objectId.slice(0, 8), 16) * 1000).toISOString()

const documents: Documents = {
  collection: { name: 'tutorials', indexes: { time: { fields: ['time'] } } },
  document: ({ type, id, data, time }) => ({
    title: data.title ?? '',
    time: type === 'tutorials.import' ? timeOf(id) : time,
  }),
}

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
