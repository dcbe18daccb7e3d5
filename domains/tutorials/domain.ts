import { appendDomain } from 'millrace'
import { z } from 'zod'

const MAX_TITLE = 10_000

const tutorial = z.object({ id: z.string(), title: z.string(), time: z.iso.datetime() })

/** The time in the first eight digits of an ObjectId, which count seconds. */
const timeOf = (objectId: string): string => new Date(Number.parseInt(objectId.slice(0, 8), 16) * 1000).toISOString()

/** Titles of tutorials. The topic carries bare titles, as in the system that Millrace replaces. */
export default appendDomain({
  name: 'tutorials',
  commands: {
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
      id: ({ id }) => id,
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
  },

  topic: {
    name: 'tutorials-topic',
    partitions: 3,
    record: {
      // functions-framework parses a text/plain body to a string, and then fails on the CloudEvent.
      contentType: 'text/vnd.millrace.title; charset=utf-8',
      value: z.string(),
      encode: ({ title }) => title,
      decode: (value, { id, type }) => (type === 'tutorials.import' ? { id, title: value } : { title: value }),
    },
    plain: 'tutorials.publish',
  },
  roles: { member: ['tutorials:read', 'tutorials:write'], administrator: ['tutorials:import'] },

  documents: {
    collection: 'tutorials',
    schema: z.object({ title: z.string(), time: z.iso.datetime() }),
    indexes: { time: { fields: ['time'] } },
    document: ({ type, id, data, time }) => ({
      title: data.title,
      time: type === 'tutorials.import' ? timeOf(id) : time,
    }),
  },

  /** Lists are ordered by time of publishing and id. A cursor that has passed this time skips a tutorial that arrives late. */
  queries: ({ all, page, one }) => [
    all({
      path: '/api/test',
      scope: 'tutorials:read',
      summary: 'All tutorials as one array',
      item: tutorial.omit({ time: true }),
      index: 'time',
      shape: ({ _id, title }) => ({ id: _id, title }),
    }),
    page({
      path: '/api/tutorials',
      scope: 'tutorials:read',
      name: 'list',
      summary: 'Tutorials by time of publishing',
      overview: { part: 'tutorials', params: () => ({ order: 'newest', limit: '10' }) },
      params: z.object({ order: z.enum(['oldest', 'newest']).default('oldest') }),
      item: tutorial,
      index: 'time',
      newestFirst: ({ order }) => order === 'newest',
      shape: ({ _id, title, time }) => ({ id: _id, title, time }),
    }),
    one({
      path: '/api/tutorials/{id}',
      scope: 'tutorials:read',
      name: 'one',
      summary: 'A tutorial',
      item: tutorial,
      shape: ({ _id, title, time }) => ({ id: _id, title, time }),
    }),
  ],
})
