import { bound, hasWords, rarestOf } from 'millrace'
import { z } from 'zod'
import { LEVELS, level, logEvent, organizationId } from './commands.ts'
import type { Kinds, LogEvent } from './documents.ts'

const item = logEvent.required({ timestamp: true, attributes: true }).extend({ id: z.string(), time: z.iso.datetime() })

const nameOf = (rank: unknown) => LEVELS[Number(rank)] ?? 'info'
const rankOf = (level: (typeof LEVELS)[number]) => LEVELS.indexOf(level)

/** The start of the period whose first characters are given. */
const startOf = (period: string): string => period + '0000-01-01T00:00:00.000Z'.slice(period.length)

const shape = ({ _id, organizationId, level, message, service, timestamp, traceId, attributes, time }: LogEvent) => ({
  id: _id,
  organizationId,
  level: nameOf(level),
  message,
  service,
  timestamp,
  ...(traceId === undefined ? {} : { traceId }),
  attributes,
  time,
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
const liveParams = params.omit({ from: true, to: true, order: true })
type Params = z.output<typeof params>

/** The index that narrows the list most, with the values to look for in it. */
function choose({ organizationId, traceId, text, from, to, service, level }: Params) {
  if (traceId !== undefined) return { index: 'trace', where: { organizationId, traceId } } as const
  const words = text === undefined ? '' : rarestOf(text)
  if (words !== '') return { index: 'words', where: { organizationId, words } } as const
  if (from !== undefined || to !== undefined) return { index: 'time', where: { organizationId } } as const
  if (service !== undefined) return { index: 'service', where: { organizationId, service } } as const
  if (level === undefined) return { index: 'all', where: { organizationId } } as const
  const atLeast = LEVELS.slice(rankOf(level)).map((level) => ({ organizationId, level: rankOf(level) }))
  return { index: 'level', where: atLeast } as const
}

const isSought = (event: LogEvent, { traceId, text, service, level }: z.output<typeof liveParams>): boolean =>
  (traceId === undefined || event.traceId === traceId) &&
  (service === undefined || event.service === service) &&
  (level === undefined || event.level >= rankOf(level)) &&
  hasWords(event, text)

/** The number of characters of a time that name its minute, hour or day. */
const PERIODS = { minute: 16, hour: 13, day: 10 }

const ofOrganisation = {
  scope: 'logs:read',
  organisation: ({ organizationId }: { organizationId: string }) => organizationId,
}

export const queries = ({ page, count, live }: Kinds) => [
  page({
    path: '/api/logs',
    ...ofOrganisation,
    name: 'list',
    summary: 'Log events of an organisation, in the order of arrival',
    params,
    item,
    index: (asked) => choose(asked).index,
    where: (asked) => choose(asked).where,
    range: (asked) => (choose(asked).index === 'time' ? { from: asked.from, to: asked.to } : {}),
    keep: (event, asked) =>
      isSought(event, asked) &&
      (asked.from === undefined || event.time >= asked.from) &&
      (asked.to === undefined || event.time < asked.to),
    newestFirst: ({ order }) => order === 'newest',
    shape,
  }),
  count({
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
    where: ({ organizationId }) => ({ organizationId }),
    range: ({ from, to }) => ({ from, to }),
    by: ({ by }) => [{ field: 'time', length: PERIODS[by] }, { field: 'level' }],
    shape: ({ time, level }, count) => ({ period: startOf(String(time)), level: nameOf(level), count }),
  }),
  live({
    path: '/api/logs/live',
    ...ofOrganisation,
    name: 'live',
    summary: 'New log events of an organisation as server-sent events',
    params: liveParams,
    item,
    of: { collection: 'logs' },
    keep: (event, asked) => event.organizationId === asked.organizationId && isSought(event, asked),
    shape,
  }),
]
