import type { Document } from '../domain.ts'
import type { Query } from '../query.ts'

const idAndTitle = ({ _id, title }: Document) => ({ id: _id, title: title ?? '' })
const whole = ({ _id, title, time }: Document) => ({ id: _id, title: title ?? '', time: time ?? '' })

/** By publish time and id. A tutorial that arrives late stands where its time puts it, behind a cursor that has passed. */
export const queries: Query[] = [
  { answers: 'all', path: '/api/test', index: 'time', shape: idAndTitle },
  { answers: 'page', path: '/api/tutorials', index: 'time', shape: whole },
  { answers: 'one', path: '/api/tutorials/{id}', shape: whole },
]
