import { z } from 'zod'
import type { Document, Fields } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'

const count = z.int().min(0)

const done = z.object({
  id: z.string(),
  type: z.enum(['letters.redrive', 'letters.discard']),
  time: z.iso.datetime(),
  actor: z.string(),
  asked: z.record(z.string(), z.string()).describe('Which letters, as the command said'),
  redriven: count.optional(),
  failures: count.optional().describe('How many could not be applied again'),
  failed: z
    .array(z.object({ id: z.string(), error: z.string() }))
    .optional()
    .describe('The first of them'),
  discarded: count.optional(),
})

const shape = ({ _id, _hash, ...fields }: Document): Fields => ({ id: _id, ...fields })

export const queries = [
  {
    answers: 'page',
    path: '/api/letters/redrives',
    scope: 'letters:read',
    name: 'redrives.list',
    summary: 'What was redriven and discarded, newest first',
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
    summary: 'What came of one',
    item: done,
    shape,
  },
] as const satisfies readonly Query[]
