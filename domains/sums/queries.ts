import { z } from 'zod'
import type { Document } from '../domain.ts'
import type { Query } from '../query.ts'
import { totalOf } from './documents.ts'

const sum = z.object({
  requestId: z.string(),
  firstNumber: z.int(),
  secondNumber: z.int(),
  result: z.int(),
  time: z.iso.datetime(),
})

const shape = ({ requestId, firstNumber, secondNumber, result, time }: Document) => ({
  requestId: requestId ?? '',
  firstNumber: firstNumber ?? 0,
  secondNumber: secondNumber ?? 0,
  result: result ?? 0,
  time: time ?? '',
})

export const queries = [
  {
    answers: 'total',
    path: '/api/final',
    scope: 'sums:read',
    name: 'total',
    summary: 'The total of all sums',
    overview: { part: 'sums' },
    total: totalOf,
  },
  {
    answers: 'page',
    path: '/api/final/history',
    scope: 'sums:read',
    name: 'history',
    summary: 'Sums by time',
    item: sum,
    index: 'time',
    params: z.object({}),
    shape,
  },
  { answers: 'fault', path: '/api/final/error', scope: 'sums:read', summary: 'Always fails, to test alerts' },
] as const satisfies readonly Query[]
