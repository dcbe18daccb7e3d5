import { z } from 'zod'
import type { Document } from '../domain.ts'
import type { Query } from '../query.ts'
import { LEVELS, logEvent, organizationId } from './commands.ts'

const item = logEvent.required({ timestamp: true, attributes: true }).extend({ id: z.string(), time: z.iso.datetime() })

const shape = ({ _id, _hash, level, words, offset, ...event }: Document) => ({
  id: _id,
  ...event,
  level: LEVELS[Number(level)] ?? 'info',
})

export const queries = [
  {
    answers: 'page',
    path: '/api/logs',
    name: 'list',
    summary: 'Log events of an organisation, in the order in which they came',
    params: z.object({ organizationId }),
    item,
    index: 'organisation',
    where: ({ organizationId = '' }) => ({ organizationId }),
    shape,
  },
] as const satisfies readonly Query[]
