import { z } from 'zod'
import type { CommandType } from '../domain.ts'

const MAX_TITLE = 10_000

export const commands = {
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
