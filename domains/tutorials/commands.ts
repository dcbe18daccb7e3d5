import { z } from 'zod'
import type { CommandType } from '../domain.ts'

export const commands = {
  'tutorials.publish': {
    summary: 'Publish a tutorial',
    scope: 'tutorials:write',
    data: z.strictObject({ title: z.string().trim().min(1).max(10_000) }),
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
} satisfies { [type: string]: CommandType }
