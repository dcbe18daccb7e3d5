import { z } from 'zod'
import type { CommandType } from '../domain.ts'

const LONGEST_TITLE = 10_000

export const commands = {
  'tutorials.publish': {
    summary: 'Publish a tutorial',
    scope: 'tutorials:write',
    data: z.strictObject({ title: z.string().trim().min(1).max(LONGEST_TITLE) }),
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
    summary: 'Import tutorials of the system before, with the ids and in the order that they had there',
    scope: 'tutorials:import',
    data: z.strictObject({
      id: z
        .string()
        .regex(/^[0-9a-f]{24}$/, 'takes an ObjectId, 24 hexadecimal digits')
        .describe('An ObjectId. It says when the tutorial was published'),
      title: z.string().min(1).max(LONGEST_TITLE).describe('Kept as it is, with its spaces'),
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
