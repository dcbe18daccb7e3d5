import { z } from 'zod'
import type { Document } from '../domain.ts'
import type { Query } from '../query.ts'

const tutorial = z.object({ id: z.string(), title: z.string(), time: z.iso.datetime() })

const idAndTitle = ({ _id, title }: Document) => ({ id: _id, title: title ?? '' })
const whole = ({ _id, title, time }: Document) => ({ id: _id, title: title ?? '', time: time ?? '' })

/** By publish time and id. A tutorial that arrives late stands where its time puts it, behind a cursor that has passed. */
export const queries = [
  {
    answers: 'all',
    path: '/api/test',
    scope: 'tutorials:read',
    summary: 'The whole data set',
    item: tutorial.omit({ time: true }),
    index: 'time',
    shape: idAndTitle,
  },
  {
    answers: 'page',
    path: '/api/tutorials',
    scope: 'tutorials:read',
    name: 'list',
    summary: 'Tutorials by time',
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
    summary: 'One tutorial',
    item: tutorial,
    shape: whole,
  },
] as const satisfies readonly Query[]
