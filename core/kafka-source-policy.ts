import type { Domain, Topic } from '#domains/domain.ts'

/** The error topic for other readers: records that a KafkaSource gave up, and copies of letters. */
export const deadLetters: Pick<Topic, 'name' | 'partitions'> = { name: 'dead-letters', partitions: 3 }

export const topics = (domains: Domain[]): Pick<Topic, 'name' | 'partitions'>[] => [
  ...domains.map(({ topic: { name, partitions } }) => ({ name, partitions })),
  deadLetters,
]

export interface Sinks {
  /** The URL of persist. */
  persist: string
  /** The URL of the error topic's KafkaSink. */
  deadLetters: string
}

/** The step of a KafkaSource's linear back-off: the pause before retry n is n times as long. */
export const BACKOFF_MS = 200

/**
 * A KafkaSource with the field names of its manifest. `retry` survives any outage that is shorter than days, and pauses grow so slowly that after
 * hours the last pause ends within a minute. persist answers 422, which is not retried, for a record that it has parked. Each partition has its own consumer, and so its own limit of records in flight.
 */
const sourceOn = (
  name: string,
  topic: Pick<Topic, 'name' | 'partitions'>,
  ordering: 'ordered' | 'unordered',
  sinks: Sinks,
) =>
  ({
    name,
    namespace: 'millrace',
    topic: topic.name,
    group: `millrace-${name}`,
    consumers: topic.partitions,
    ordering,
    initialOffset: 'earliest',
    delivery: {
      retry: 2500,
      backoffPolicy: 'linear',
      backoffDelay: `PT${BACKOFF_MS / 1000}S`,
      timeout: 'PT60S',
      deadLetterSink: sinks.deadLetters,
    },
    sink: sinks.persist,
  }) as const

/** The KafkaSource of a domain. */
export const sourceOf = (domain: Domain, sinks: Sinks) =>
  sourceOn(domain.name, domain.topic, domain.kind === 'decide' ? domain.ordering : 'unordered', sinks)

/** The KafkaSource that reads the error topic back into the list of letters. Its own dead letters go to that topic again. */
export const deadLetterSource = (sinks: Sinks) => sourceOn(deadLetters.name, deadLetters, 'ordered', sinks)
