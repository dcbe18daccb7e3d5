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

/**
 * The KafkaSource of a domain, in the words of its manifest. `retry` outlasts any outage but one of days; what persist
 * wants parked it answers with 422, which is not retried.
 */
export const sourceOf = (domain: Domain, sinks: Sinks) =>
  ({
    name: domain.name,
    namespace: 'millrace',
    topic: domain.topic.name,
    group: `millrace-${domain.name}`,
    ordering: 'unordered',
    initialOffset: 'earliest',
    delivery: {
      retry: 1000,
      backoffPolicy: 'linear',
      backoffDelay: 'PT1S',
      timeout: 'PT60S',
      deadLetterSink: sinks.deadLetters,
    },
    sink: sinks.persist,
  }) as const
