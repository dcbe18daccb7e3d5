import { z } from 'zod'
import type { CommandType, Fields } from '#domains/domain.ts'

/** A letter's id, which may be long: foreign records choose theirs. */
const id = z.string().min(1).max(1024)
/** With milliseconds, as letters have their time: a bound without them would sort behind the same moment. */
const moment = z.iso.datetime().transform((time) => new Date(time).toISOString())

/** A letter is chosen if every field that is set matches. A letter of a parked stream brings its whole stream, in order. */
const choice = z
  .strictObject({
    id: id.optional(),
    domain: z.string().min(1).max(100).optional(),
    stream: z.string().min(1).max(1024).optional(),
    /** A substring of the error. */
    error: z.string().min(1).max(300).optional(),
    from: moment.optional(),
    to: moment.optional(),
  })
  .refine((data) => Object.keys(data).length > 0, { error: 'say which letters: id, domain, stream, error, from or to' })
  .meta({ minProperties: 1 })
  .transform((data) => Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)) as Fields)

export const commands = {
  'letters.redrive': {
    summary: 'Redrive letters, in their order',
    scope: 'letters:write',
    data: choice,
    stream: (_, id) => `redrive/${id}`,
    routes: [{ method: 'POST', path: '/api/letters/redrive', body: 'json', created: '/api/letters/redrives/{id}' }],
  },
  'letters.discard': {
    summary: 'Discard a letter',
    scope: 'letters:write',
    data: z.strictObject({ id, reason: z.string().trim().min(1).max(1000) }),
    stream: (_, id) => `redrive/${id}`,
    routes: [{ method: 'POST', path: '/api/letters/discard', body: 'json', created: '/api/letters/redrives/{id}' }],
  },
} satisfies { [type: string]: CommandType }
