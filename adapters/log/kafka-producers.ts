import type { Kafka, Producer } from 'kafkajs'
import type { NewRecord } from '#core/log.ts'
import { connected, isProducersFault } from './kafka-errors.ts'
import { toMessage } from './kafka-record.ts'

export const REQUEST_MS = 5000

export interface KafkaProducers {
  /** One producer for all lanes, until a lane retires it. */
  current(): Promise<Producer>
  /** The next call of `current` makes a new producer. */
  retire(producer: Promise<Producer>): void
  close(): Promise<void>
}

export function kafkaProducers(kafka: Kafka): KafkaProducers {
  /** Every producer until `close`: a lane may still repeat its batch on one that other lanes have left. */
  const made = new Set<Promise<Producer>>()
  let current: Promise<Producer> | undefined

  function retire(producer: Promise<Producer>): void {
    if (current === producer) current = undefined
  }

  function make(): Promise<Producer> {
    const producer = connected(
      kafka.producer({
        idempotent: true,
        allowAutoTopicCreation: false,
        createPartitioner:
          () =>
          ({ message }) =>
            message.partition ?? 0,
      }),
    )
    made.add(producer)
    producer.catch(() => {
      retire(producer)
      made.delete(producer)
    })
    return producer
  }

  return {
    current: () => (current ??= make()),
    retire,
    async close() {
      const producers = await Promise.allSettled(made)
      await Promise.all(producers.map((one) => one.status === 'fulfilled' && one.value.disconnect()))
    },
  }
}

/**
 * Sends batches to one partition. A batch stays with one producer, because the brokers recognise a repeat by its sequence
 * numbers. Only a producer that has lost its place in this partition is replaced. If the batch is written already,
 * persist recognises the repeat by its id.
 */
export function partitionSender(producers: KafkaProducers, topic: string, partition: number) {
  let own: Promise<Producer> | undefined
  return async (records: NewRecord[]): Promise<number> => {
    own ??= producers.current()
    const producer = await own.catch((error) => {
      own = undefined
      throw error
    })
    try {
      const messages = records.map((record) => toMessage(record, partition))
      const responses = await producer.send({ topic, acks: -1, timeout: REQUEST_MS, messages })
      const response = responses.find((response) => response.partition === partition)
      if (!response) throw new Error('the response of the brokers does not cover the partition')
      return Number(response.baseOffset)
    } catch (error) {
      if (isProducersFault(error)) {
        producers.retire(own)
        own = undefined
      }
      throw error
    }
  }
}
