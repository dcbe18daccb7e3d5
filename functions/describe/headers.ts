import type { Domain } from '#domains/domain.ts'
import type { Schema } from './schemas.ts'

const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more })

/** An attribute is printable ASCII, the rest percent-encoded. */
const ATTRIBUTE = { pattern: '^[!-~]*$', maxLength: 256 }

/** What publish seals every command with: CloudEvents in binary mode. */
export const headers = (type: string, { topic }: Domain): Schema => ({
  type: 'object',
  properties: {
    'content-type': text('Of the value', { const: topic.record?.contentType ?? 'application/json' }),
    ce_specversion: text('Of CloudEvents', { const: '1.0' }),
    ce_id: text('The command id: what comes twice takes effect once'),
    ce_source: text('publish, and the topic', { const: `/millrace/publish#${topic.name}` }),
    ce_type: text('The command type', { const: type }),
    ce_subject: text('The stream', ATTRIBUTE),
    ce_partitionkey: text('The stream', ATTRIBUTE),
    ce_time: text('When publish accepted it', { format: 'date-time' }),
    ce_bodyhash: text('Tells a repeated command from another one under its key'),
    ce_actor: text('Who sent it', ATTRIBUTE),
    ce_scopes: text('What the actor may, of this domain, separated by commas', ATTRIBUTE),
    ce_traceparent: text('W3C trace context'),
    ce_expectedversion: text('The version that the stream must have', { pattern: '^\\d+$' }),
    ce_seal: text('What publish vouches for: key id, base64url of JSON, MAC. persist believes nothing beside it', {
      pattern: '^[\\w-]+\\.[\\w-]+\\.[\\w-]+$',
    }),
  },
  required: [
    'content-type',
    'ce_specversion',
    'ce_id',
    'ce_source',
    'ce_type',
    'ce_subject',
    'ce_partitionkey',
    'ce_time',
    'ce_bodyhash',
    'ce_actor',
    'ce_traceparent',
    'ce_seal',
  ],
  additionalProperties: false,
})

/** A letter has the attributes of its command, if it is one, and what the KafkaSource says of its failure. */
export const letterHeaders: Schema = {
  type: 'object',
  properties: {
    ce_specversion: text('Of CloudEvents'),
    ce_id: text('The command id'),
    ce_source: text('Where it comes from'),
    ce_type: text('The command type; `dev.knative.kafka.event`: a bare record'),
    ce_knativeerrordest: text('Who could not apply it'),
    ce_knativeerrorcode: text('The last answer'),
    ce_knativeerrordata: text('The reason, in base64'),
  },
  required: ['ce_specversion', 'ce_id', 'ce_source', 'ce_type'],
  additionalProperties: { type: 'string' },
}
