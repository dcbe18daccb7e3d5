import { z } from 'zod'
import type { Document, Fields } from '../domain.ts'
import { bound } from '../moment.ts'
import type { Query } from '../query.ts'
import { hasWords, rarestOf } from '../words.ts'
import { LEVELS, level, logEvent, organizationId } from './commands.ts'

const item = logEvent.required({ timestamp: true, attributes: true }).extend({ id: z.string(), time: z.iso.datetime() })

const nameOf = (rank: unknown) => LEVELS[Number(rank)] ?? 'info'

/** The start of the period whose first characters are given. */
const startOf = (period: string): string => period + '0000-01-01T00:00:00.000Z'.slice(period.length)

const shape = ({ _id, _hash, words, offset, ...event }: Document) => ({
  id: _id,
  ...event,
  level: nameOf(event.level),
})

const params = z.object({
  organizationId,
  /** The least level. */
  level: level.optional(),
  service: z.string().min(1).max(100).optional(),
  traceId: z.string().min(1).max(64).optional(),
  /** Words that the event must have, in any order. */
  text: z.string().min(1).max(500).optional(),
  /** The bounds of the time of acceptance. */
  from: bound.optional(),
  to: bound.optional(),
  order: z.enum(['oldest', 'newest']).default('oldest'),
})

/** The index that narrows the list most. */
function index({ traceId, text, from, to, service, level }: Fields): string {
  if (traceId !== undefined) return 'trace'
  if (text !== undefined && rarestOf(text) !== '') return 'words'
  if (from !== undefined || to !== undefined) return 'time'
  if (service !== undefined) return 'service'
  return level === undefined ? 'all' : 'level'
}

const rankOf = (level: unknown): number => LEVELS.indexOf(level as (typeof LEVELS)[number])

function where(asked: Fields): Fields | Fields[] {
  const { organizationId = '', traceId = '', text, service = '', level } = asked
  switch (index(asked)) {
    case 'trace':
      return { organizationId, traceId }
    case 'words':
      return { organizationId, words: rarestOf(text) }
    case 'service':
      return { organizationId, service }
    case 'level':
      return LEVELS.slice(rankOf(level)).map((level) => ({ organizationId, level: rankOf(level) }))
    default:
      return { organizationId }
  }
}

function keep(event: Document, { traceId, text, from, to, service, level }: Fields): boolean {
  return (
    (traceId === undefined || event.traceId === traceId) &&
    (service === undefined || event.service === service) &&
    (level === undefined || Number(event.level) >= rankOf(level)) &&
    (from === undefined || String(event.time) >= String(from)) &&
    (to === undefined || String(event.time) < String(to)) &&
    hasWords(event, text)
  )
}

const boundsOf = ({ from, to }: Fields) => ({
  from: from === undefined ? undefined : String(from),
  to: to === undefined ? undefined : String(to),
})

/** The number of characters of a time that name its minute, hour or day. */
const PERIODS = { minute: 16, hour: 13, day: 10 }

const ofOrganisation = { scope: 'logs:read', organisation: ({ organizationId }: Fields) => String(organizationId) }

export const queries = [
  {
    answers: 'page',
    path: '/api/logs',
    ...ofOrganisation,
    name: 'list',
    summary: 'Log events of an organisation, in the order of arrival',
    params,
    item,
    index,
    where,
    range: (asked) => (index(asked) === 'time' ? boundsOf(asked) : {}),
    keep,
    newestFirst: ({ order }) => order === 'newest',
    shape,
  },
  {
    answers: 'count',
    path: '/api/logs/stats',
    ...ofOrganisation,
    name: 'stats',
    summary: 'Number of log events of an organisation, by level and minute, hour or day',
    overview: {
      part: 'logs',
      params: ({ organisation }) =>
        organisation === undefined ? undefined : { organizationId: organisation, by: 'day' },
    },
    params: params.pick({ organizationId: true, from: true, to: true }).extend({
      by: z.enum(['minute', 'hour', 'day']).default('hour'),
    }),
    item: z.object({ period: z.iso.datetime(), level, count: z.int() }),
    index: 'time',
    where: ({ organizationId = '' }) => ({ organizationId }),
    range: boundsOf,
    by: ({ by }) => [{ field: 'time', length: PERIODS[by as keyof typeof PERIODS] }, { field: 'level' }],
    shape: ({ time, level }, count) => ({ period: startOf(String(time)), level: nameOf(level), count }),
  },
  {
    answers: 'live',
    path: '/api/logs/live',
    ...ofOrganisation,
    name: 'live',
    summary: 'New log events of an organisation as server-sent events',
    params: params.omit({ from: true, to: true, order: true }),
    item,
    of: { collection: 'logs' },
    keep: (event, asked) => event.organizationId === asked.organizationId && keep(event, asked),
    shape,
  },
] as const satisfies readonly Query[]
