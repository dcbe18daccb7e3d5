import { z } from 'zod'
import type { Document, Fields } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'

const count = z.int().min(0)

const done = z.object({
  id: z.string(),
  type: z.enum(['letters.redrive', 'letters.discard']),
  time: z.iso.datetime(),
  actor: z.string(),
  asked: z.record(z.string(), z.string()).describe('The letters that the command names'),
  redriven: count.optional(),
  failures: count.optional().describe('The number of letters that failed again'),
  failed: z
    .array(z.object({ id: z.string(), error: z.string(), frames: z.array(z.string()).optional() }))
    .optional()
    .describe('The first failures'),
  discarded: count.optional(),
})

const shape = ({ _id, ...fields }: Document): Fields => ({ id: _id, ...fields })

export const queries = [
  {
    answers: 'page',
    path: '/api/letters/redrives',
    scope: 'letters:read',
    name: 'redrives.list',
    summary: 'Redrives and discards, newest first',
    item: done,
    index: 'time',
    newestFirst: true,
    shape,
  },
  {
    answers: 'one',
    path: '/api/letters/redrives/{id}',
    scope: 'letters:read',
    name: 'redrives.one',
    summary: 'A redrive or discard, with its outcome',
    item: done,
    shape,
  },
] as const satisfies readonly Query[]
