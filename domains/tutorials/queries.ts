import { z } from 'zod'
import type { Document } from '../domain.ts'
import type { Query } from '../query.ts'

const tutorial = z.object({ id: z.string(), title: z.string(), time: z.iso.datetime() })

const idAndTitle = ({ _id, title }: Document) => ({ id: _id, title: title ?? '' })
const whole = ({ _id, title, time }: Document) => ({ id: _id, title: title ?? '', time: time ?? '' })

/** Lists are ordered by time of publishing and id. A cursor that has passed this time skips a tutorial that arrives late. */
export const queries = [
  {
    answers: 'all',
    path: '/api/test',
    scope: 'tutorials:read',
    summary: 'All tutorials as one array',
    item: tutorial.omit({ time: true }),
    index: 'time',
    shape: idAndTitle,
  },
  {
    answers: 'page',
    path: '/api/tutorials',
    scope: 'tutorials:read',
    name: 'list',
    summary: 'Tutorials by time of publishing',
    overview: { part: 'tutorials', params: () => ({ order: 'newest', limit: '10' }) },
    params: z.object({ order: z.enum(['oldest', 'newest']).default('oldest') }),
    item: tutorial,
    index: 'time',
    newestFirst: ({ order }) => order === 'newest',
    shape: whole,
  },
  {
    answers: 'one',
    path: '/api/tutorials/{id}',
    scope: 'tutorials:read',
    name: 'one',
    summary: 'A tutorial',
    item: tutorial,
    shape: whole,
  },
] as const satisfies readonly Query[]
