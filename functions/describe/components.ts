import { z } from 'zod'
import { paging } from '#core/paging.ts'
import type { Schema, Schemas } from './schemas.ts'

/** The components that many operations refer to by name. */

const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    traceid: z.string().describe('The id of the trace, with which operators find the request'),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe('The errors of the fields'),
    id: z.string().optional().describe('The command id'),
    outcome: z.enum(['rejected', 'parked']).optional(),
    receipt: z.string().optional(),
    idempotencyKey: z.string().optional().describe('The key with which to repeat this command'),
    reusedKey: z.literal(true).optional().describe('The key belongs to another command'),
    first: z
      .object({ id: z.string(), receipt: z.string() })
      .optional()
      .describe('The command to which the key belongs'),
    unknown: z.boolean().optional().describe('True if the command may be durable nevertheless'),
  })
  .describe('RFC 9457')

const text: Schema = { type: 'string' }

const PARAMETERS = {
  'Idempotency-Key': {
    in: 'header',
    description: 'A command that is repeated with its key takes effect once. Another command with the same key is 409.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x20-\\x7e]+$' },
  },
  'If-Match': {
    in: 'header',
    description: 'The version that the stream must have, else 412. It is the number of the last event, not an ETag.',
    schema: { type: 'string', pattern: '^"\\d{1,15}"$', examples: ['"3"'] },
  },
  Prefer: {
    in: 'header',
    description: '`wait=N`: the response has the outcome if it is known within N seconds, 20 at most.',
    schema: { type: 'string', examples: ['wait=5'] },
  },
  after: {
    in: 'query',
    description:
      'A receipt or its path. The answer includes the effects of that command. After 2 s without an outcome it is 503.',
    schema: { type: 'array', items: text },
    explode: true,
  },
  'Last-Event-ID': { in: 'header', description: 'The `id` of the last event that the client received.', schema: text },
  'If-None-Match': { in: 'header', description: 'The `ETag` of the version that the client has.', schema: text },
}

const HEADERS = {
  Location: 'The path of the receipt, or of the result.',
  ETag: 'The version of the answer, for `If-None-Match`.',
  'Retry-After': 'The number of seconds to wait before a retry.',
  'Preference-Applied': '`wait`: the response has the outcome.',
}

const PROBLEMS = {
  400: 'The body, a header or a parameter cannot be read.',
  401: 'The request needs a token, or its token is not valid.',
  403: 'The token does not grant the scope, or belongs to another organisation.',
  404: 'There is nothing at this path.',
  409: 'The key belongs to another command (`reusedKey`). With `Prefer: wait` also: a rule rejected the command, or it is parked.',
  410: 'The receipt has expired.',
  412: 'The stream has another version.',
  413: 'The body is too large.',
  415: 'The route does not accept this media type.',
  422: 'The data does not match the schema.',
  500: 'A bug, or a deliberate fault.',
  503: 'Unavailable. Repeat after `Retry-After`: the same command with the same key takes effect once.',
  default: 'Any other problem.',
}

const named = (entries: { [name: string]: object }) =>
  Object.fromEntries(Object.entries(entries).map(([name, rest]) => [name, { name, ...rest }]))

export function components(schemas: Schemas) {
  const { limit, cursor } = schemas.members(paging).properties
  const paged = {
    limit: { in: 'query', schema: limit },
    cursor: { in: 'query', description: 'The `next` of the previous page, or the `cursor` of a line.', schema: cursor },
  }
  const content = { 'application/problem+json': { schema: schemas.output('Problem', problem) } }
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
