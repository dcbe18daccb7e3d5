/**
 * A CloudEvent as persist receives it from functions-framework or from our host: context attributes and extensions as
 * properties, `data` parsed when it is JSON, a string when it is text, else a Buffer.
 */
export interface Delivery {
  specversion: string
  id: string
  source: string
  type: string
  subject?: string
  time?: string
  datacontenttype?: string
  /** Hash of type and value, by publish: tells a repeated command from another one under the same key. */
  bodyhash?: string
  actor?: string
  traceparent?: string
  /** Set by KafkaSource on every request. */
  knativekafkapartition?: string
  knativekafkaoffset?: string
  data?: unknown
  [extension: string]: unknown
}

/** What persist did with an event. 204 is also "already done". A fault or an outage carries the reason in `detail`. */
export interface Outcome {
  status: 204 | 404 | 422 | 500 | 503
  detail?: string
}

/** The type of an event that stands for a request which isn't one: the host makes it, persist keeps it as a letter. */
export const MALFORMED = 'dev.millrace.malformed'

/** The type under which KafkaSource delivers a record that is not a CloudEvent. */
export const PLAIN = 'dev.knative.kafka.event'
