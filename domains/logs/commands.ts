import { z } from 'zod'
import type { CommandType, Fields } from '../domain.ts'

/** From the least to the most serious. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

export const organizationId = z.string().regex(/^[\w.-]{1,64}$/, 'takes 1 to 64 letters, digits, dots, dashes')
export const level = z.enum(LEVELS)
const attribute = z.union([z.string().max(1000), z.number(), z.boolean(), z.null()])
const MOST_ATTRIBUTES = 32
const attributes = z.record(z.string().regex(/^[\w.-]{1,64}$/), attribute)
const { propertyNames, additionalProperties } = z.toJSONSchema(attributes)

/** Ten thousand lines of a usual length. */
const MAX_BYTES = 8 * 1024 * 1024

export const logEvent = z.strictObject({
  organizationId,
  level,
  message: z.string().min(1).max(8192),
  service: z.string().min(1).max(100),
  /** When it happened, as its sender says. */
  timestamp: z.iso.datetime({ offset: true }).optional(),
  traceId: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional(),
  // Counted before any is looked at: a line has room for thousands.
  attributes: z
    .looseObject({})
    .refine((all) => Object.keys(all).length <= MOST_ATTRIBUTES, {
      error: `takes ${MOST_ATTRIBUTES} attributes at most`,
    })
    .pipe(attributes)
    .meta({ maxProperties: MOST_ATTRIBUTES, propertyNames, additionalProperties })
    .optional(),
})

export const commands = {
  'logs.write': {
    summary: 'Write one log event, or many: a JSON array, or NDJSON of up to 10,000 lines',
    scope: 'logs:write',
    organisation: ({ organizationId }) => String(organizationId),
    data: logEvent as z.ZodType<Fields, z.input<typeof logEvent>>,
    stream: ({ organizationId }) => `organisation/${organizationId}`,
    routes: [{ method: 'POST', path: '/api/logs', body: 'batch', maxBytes: MAX_BYTES }],
  },
} satisfies { [type: string]: CommandType }
