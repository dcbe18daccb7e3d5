import { defineCommands } from 'millrace'
import { z } from 'zod'

/** From the least to the most serious. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

export const organizationId = z
  .string()
  .regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, underscores or dashes')
export const level = z.enum(LEVELS)
const attribute = z.union([z.string().max(1000), z.number(), z.boolean(), z.null()])
const MAX_ATTRIBUTES = 32
const attributes = z.record(z.string().regex(/^[\w.-]{1,64}$/), attribute)
const { propertyNames, additionalProperties } = z.toJSONSchema(attributes)

/** The size of ten thousand lines of usual length. */
const MAX_BYTES = 8 * 1024 * 1024

export const logEvent = z.strictObject({
  organizationId,
  level,
  message: z.string().min(1).max(8192),
  service: z.string().min(1).max(100),
  /** The time of the event according to its sender. */
  timestamp: z.iso.datetime({ offset: true }).optional(),
  traceId: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional(),
  // They are counted before any is validated, since a line has room for thousands.
  attributes: z
    .looseObject({})
    .refine((all) => Object.keys(all).length <= MAX_ATTRIBUTES, {
      error: `must have at most ${MAX_ATTRIBUTES} attributes`,
    })
    .pipe(attributes)
    .meta({ maxProperties: MAX_ATTRIBUTES, propertyNames, additionalProperties })
    .optional(),
})

export const commands = defineCommands({
  'logs.write': {
    summary: 'Write one log event, or up to 10,000 as a JSON array or NDJSON',
    scope: 'logs:write',
    organisation: ({ organizationId }) => organizationId,
    data: logEvent,
    stream: ({ organizationId }) => `organisation/${organizationId}`,
    routes: [{ method: 'POST', path: '/api/logs', body: 'batch', maxBytes: MAX_BYTES }],
  },
})
