import { z } from 'zod'
import { paging } from '#core/paging.ts'
import type { Schema, Schemas } from './schemas.ts'

/** What many operations share, by the names under which they refer to it. */

const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    traceid: z.string().describe('Leads us to what happened'),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe('What is wrong, field by field'),
    id: z.string().optional().describe('The command id'),
    outcome: z.enum(['rejected', 'parked']).optional(),
    receipt: z.string().optional(),
    idempotencyKey: z.string().optional().describe('The key to repeat this command with'),
    reusedKey: z.literal(true).optional().describe('The key stands for another command'),
    first: z.object({ id: z.string(), receipt: z.string() }).optional().describe('The command that the key stands for'),
    unknown: z.boolean().optional().describe('Whether the log may have the command all the same'),
  })
  .describe('RFC 9457')

const text: Schema = { type: 'string' }

const PARAMETERS = {
  'Idempotency-Key': {
    in: 'header',
    description:
      'A repeated command with the same key takes effect once. Another command with the same key is refused with 409.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x20-\\x7e]+$' },
  },
  'If-Match': {
    in: 'header',
    description: 'The version that the stream must have, or else 412: the number of its last event. An ETag is none.',
    schema: { type: 'string', pattern: '^"\\d{1,15}"$', examples: ['"3"'] },
  },
  Prefer: {
    in: 'header',
    description: '`wait=N`: answer with the outcome if it is there within N seconds, 20 at most.',
    schema: { type: 'string', examples: ['wait=5'] },
  },
  after: {
    in: 'query',
    description: 'A receipt, or its path: the answer has what this command did. Waits 2 s at most, then 503.',
    schema: { type: 'array', items: text },
    explode: true,
  },
  'Last-Event-ID': { in: 'header', description: 'The `id` of the last event that the client has.', schema: text },
  'If-None-Match': { in: 'header', description: 'The `ETag` of an answer that the client has.', schema: text },
}

const HEADERS = {
  Location: 'Where the outcome is read, or what was made.',
  ETag: 'For `If-None-Match`.',
  'Retry-After': 'Seconds.',
  'Preference-Applied': '`wait`: the answer is the outcome.',
}

const PROBLEMS = {
  400: 'It can not be read: the body, a header or a parameter.',
  401: 'A token is needed, or this one is not accepted.',
  403: 'Not with this token.',
  404: 'There is nothing of this name.',
  409: 'The key stands for another command (`reusedKey`). With `Prefer: wait` also: rejected by a rule, or parked.',
  410: 'The receipt is past the horizon.',
  412: 'The stream has moved on.',
  413: 'Too large.',
  415: 'Another media type is taken.',
  422: 'Its schema does not allow it.',
  500: 'A fault.',
  503: 'Not now; `Retry-After` says when. The same command with the same key takes effect once.',
  default: 'Any other problem.',
}

const named = (entries: { [name: string]: object }) =>
  Object.fromEntries(Object.entries(entries).map(([name, rest]) => [name, { name, ...rest }]))

export function components(schemas: Schemas) {
  const { limit, cursor } = schemas.members(paging).properties
  const paged = {
    limit: { in: 'query', schema: limit },
    cursor: { in: 'query', description: 'The `next` of the page before, or the `cursor` of a line.', schema: cursor },
  }
  const content = { 'application/problem+json': { schema: schemas.answered('Problem', problem) } }
  return {
    parameters: named({ ...PARAMETERS, ...paged }),
    headers: Object.fromEntries(
      Object.entries(HEADERS).map(([name, description]) => [name, { description, schema: text }]),
    ),
    responses: Object.fromEntries(
      Object.entries(PROBLEMS).map(([status, description]) => [
        status,
        {
          description,
          ...(status === '503' ? { headers: { 'Retry-After': { $ref: '#/components/headers/Retry-After' } } } : {}),
          content,
        },
      ]),
    ),
  }
}
