/**
 * A CloudEvent as persist receives it from functions-framework or from our host. Context attributes and extensions are properties. `data` is
 * parsed if it is JSON, a string if it is text, and else a Buffer.
 */
export interface Delivery {
  specversion: string
  id: string
  source: string
  type: string
  subject?: string
  time?: string
  datacontenttype?: string
  /** The hash of type and value that publish writes. It tells a repeated command from another one with the same key. */
  bodyhash?: string
  actor?: string
  traceparent?: string
  /** A KafkaSource sets the partition and the offset on every request. */
  knativekafkapartition?: string
  knativekafkaoffset?: string
  data?: unknown
  [extension: string]: unknown
}

/** The result of a delivery. 204 includes commands that were applied before. `detail` is the reason of a fault or an outage. */
export interface Outcome {
  status: 204 | 404 | 422 | 500 | 503
  detail?: string
}

/** The type of the event that wraps a malformed delivery. The host creates it and persist keeps it as a letter. */
export const MALFORMED = 'dev.millrace.malformed'

/** The type under which a KafkaSource delivers a record that is not a CloudEvent. */
export const PLAIN = 'dev.knative.kafka.event'
