import { z } from 'zod'
import type { Document } from '../domain.ts'
import type { Query } from '../query.ts'
import { totalOf } from './rules.ts'

const shape = ({ requestId, firstNumber, secondNumber, result, time }: Document) => ({
  requestId: requestId ?? '',
  firstNumber: firstNumber ?? 0,
  secondNumber: secondNumber ?? 0,
  result: result ?? 0,
  time: time ?? '',
})

export const queries: Query[] = [
  { answers: 'total', path: '/api/final', total: totalOf },
  { answers: 'page', path: '/api/final/history', index: 'time', params: z.object({}), shape },
  { answers: 'fault', path: '/api/final/error' },
]
