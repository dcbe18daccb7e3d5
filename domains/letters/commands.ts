import { z } from 'zod'
import type { CommandType, Fields } from '../domain.ts'

const id = z.string().min(1).max(300)
const day = z.iso.datetime()

/** What is set must be so of a letter; a letter of a parked stream brings its whole stream, in order. */
const choice = z
  .strictObject({
    id: id.optional(),
    domain: z.string().min(1).max(100).optional(),
    stream: z.string().min(1).max(300).optional(),
    /** A part of the error. */
    error: z.string().min(1).max(300).optional(),
    from: day.optional(),
    to: day.optional(),
  })
  .refine((data) => Object.keys(data).length > 0, { error: 'say which letters: id, domain, stream, error, from or to' })
  .transform((data) => Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)) as Fields)

export const commands = {
  'letters.redrive': {
    summary: 'Try letters again, in their order',
    scope: 'letters:write',
    data: choice,
    stream: (_, id) => `redrive/${id}`,
    routes: [{ method: 'POST', path: '/api/letters/redrive', body: 'json', created: '/api/letters/redrives/{id}' }],
  },
  'letters.discard': {
    summary: 'Give a letter up',
    scope: 'letters:write',
    data: z.strictObject({ id, reason: z.string().trim().min(1).max(1000) }),
    stream: (_, id) => `redrive/${id}`,
    routes: [{ method: 'POST', path: '/api/letters/discard', body: 'json', created: '/api/letters/redrives/{id}' }],
  },
} satisfies { [type: string]: CommandType }
