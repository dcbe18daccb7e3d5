import type { Domain, Topic } from '#domains/domain.ts'

/** The error topic that others may read: what a KafkaSource gave up on, and copies of letters. */
export const deadLetters: Pick<Topic, 'name' | 'partitions'> = { name: 'dead-letters', partitions: 3 }

export const topics = (domains: Domain[]): Pick<Topic, 'name' | 'partitions'>[] => [
  ...domains.map(({ topic: { name, partitions } }) => ({ name, partitions })),
  deadLetters,
]

export interface Sinks {
  /** Where persist listens. */
  persist: string
  /** Where the KafkaSink on the error topic listens. */
  deadLetters: string
}

/** A KafkaSource waits so much before the first retry, twice as much before the second, and so on. */
export const BACKOFF_MS = 200

/**
 * A KafkaSource, in the words of its manifest. `retry` outlasts any outage but one of days, and pauses grow so slowly that after
 * hours of it the last one is over within a minute; what persist wants parked it answers with 422, which is not retried. Each partition has a consumer of its own, and so its own room in flight.
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

/** The one that reads the error topic back into the list of letters; what it gives up on goes to that topic again. */
export const deadLetterSource = (sinks: Sinks) => sourceOn(deadLetters.name, deadLetters, 'ordered', sinks)
