import { commandTypes, EVENTS_PATH } from '#core/registry.ts'
import type { Domain } from '#domains/domain.ts'
import { accepted } from './core-queries.ts'
import { OPTIONAL } from './guard.ts'
import { type Operation, parameter, problems, response } from './operation.ts'
import type { Schema, Schemas } from './schemas.ts'

const ATTRIBUTES = ['specversion', 'id', 'source', 'type']
const BINARY = 'An attribute of an event in binary mode.'

/** The operation that takes commands as CloudEvents of the client. */
export function eventOperation(domains: Domain[], schemas: Schemas): Operation {
  const types = [...commandTypes(domains)].map(([type, { command }]) => ({
    type,
    data: schemas.input(type, command.data),
  }))
  const content = { 'application/json': schemas.output('Accepted', accepted) }
  return {
    method: 'post',
    path: EVENTS_PATH,
    operationId: 'events.send',
    tags: ['events'],
    summary: 'Send a command as a CloudEvent',
    description:
      'The `source` and `id` of the event are the idempotency key. The caller needs the scope of the command type.',
    security: OPTIONAL,
    parameters: [
      ...ATTRIBUTES.map((name) => ({
        name: `ce-${name}`,
        in: 'header',
        description: BINARY,
        schema: { type: 'string' },
      })),
      parameter('Prefer'),
      parameter('If-Match'),
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': { schema: { anyOf: types.map(({ data }) => data) } },
        'application/cloudevents+json': { schema: { anyOf: types.map(structured) } },
      },
    },
    responses: {
      200: response('The command is applied.', content, ['Location', 'Preference-Applied']),
      201: response('The command is applied.', content, ['Location', 'Preference-Applied']),
      202: response('The command is durable. Its outcome is not known yet.', content, ['Location']),
      ...problems(400, 401, 403, 409, 412, 413, 415, 422, 503),
    },
  }
}

const structured = ({ type, data }: { type: string; data: Schema }): Schema => ({
  type: 'object',
  properties: {
    specversion: { const: '1.0' },
    id: { type: 'string' },
    source: { type: 'string' },
    type: { const: type },
    data,
  },
  required: [...ATTRIBUTES, 'data'],
})
