import type { Domain } from '#domains/domain.ts'
import type { Schema } from './schemas.ts'

const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more })

/** Attributes are printable ASCII. All other characters are percent-encoded. */
const ATTRIBUTE = { pattern: '^[!-~]*$', maxLength: 256 }

/** The headers of a command that publish has sealed: a CloudEvent in binary mode. */
export const commandHeaders = (type: string, { topic }: Domain): Schema => ({
  type: 'object',
  properties: {
    'content-type': text('The media type of the value', { const: topic.record?.contentType ?? 'application/json' }),
    ce_specversion: text('The version of CloudEvents', { const: '1.0' }),
    ce_id: text('The command id. A command takes effect once for each id'),
    ce_source: text('publish and the topic', { const: `/millrace/publish#${topic.name}` }),
    ce_type: text('The command type', { const: type }),
    ce_subject: text('The stream', ATTRIBUTE),
    ce_partitionkey: text('The stream', ATTRIBUTE),
    ce_time: text('The time at which publish accepted the command', { format: 'date-time' }),
    ce_bodyhash: text('The hash of the body, which tells a repeat from another command with the same key'),
    ce_actor: text('The sender', ATTRIBUTE),
    ce_scopes: text('The scopes of this domain that the actor has, separated by commas', ATTRIBUTE),
    ce_traceparent: text('The W3C trace context'),
    ce_expectedversion: text('The version that the stream must have', { pattern: '^\\d+$' }),
    ce_seal: text('The seal of publish: key id, JSON in base64url, MAC. persist reads the sealed attributes only', {
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

/** The headers on the error topic: the attributes of the command, if the record is one, and the failure that the KafkaSource reports. */
export const letterHeaders: Schema = {
  type: 'object',
  properties: {
    ce_specversion: text('The version of CloudEvents'),
    ce_id: text('The command id'),
    ce_source: text('The source of the record'),
    ce_type: text('The command type, or `dev.knative.kafka.event` for a bare record'),
    ce_knativeerrordest: text('The URL that refused the record'),
    ce_knativeerrorcode: text('The status of the last response'),
    ce_knativeerrordata: text('The reason in base64'),
  },
  required: ['ce_specversion', 'ce_id', 'ce_source', 'ce_type'],
  additionalProperties: { type: 'string' },
}
