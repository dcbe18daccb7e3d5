import type { Topic } from '#domains/domain.ts'

/** The retention of a topic, and so the horizon: the time for which a command id is remembered. */
export const HORIZON_DAYS = 30

/**
 * The log port. Two adapters, one contract suite (test/contracts/log.ts): embedded (node:sqlite) and kafka (kafkajs).
 * Every method rejects with `Unavailable` in an outage and with another error for a mistake.
 */
export interface Log {
  /** Makes the missing topics as declared. Throws when an existing one differs. Safe to repeat. */
  ensure(topics: Pick<Topic, 'name' | 'partitions'>[]): Promise<void>
  /**
   * Resolves once the record is durable (all in-sync replicas; fsync). Records with one key keep the order of their calls.
   * Rejects at `deadline` (by the system clock), or at the adapter's own deadline if that is earlier. A full buffer rejects at once.
   * `Unavailable.mayBeWritten` tells an unknown outcome from a failure.
   */
  append(topic: string, record: NewRecord, deadline?: number): Promise<Position>
  /** Every record from the start (or from `from`, by partition) to the end that the topic had at the time of the call. */
  scan(topic: string, from?: ReadonlyMap<number, number>): AsyncIterable<LogRecord>
  /**
   * Passes records to `take`, in order within a partition, from the group's committed offset. The next records of a
   * partition follow only after `take` resolved; other partitions continue meanwhile. Never commits by itself.
   */
  consume(options: ConsumeOptions, take: (records: LogRecord[]) => Promise<void>): Promise<Consumer>
  /** The number of records that the group has not committed, by partition. A group without a commit lags by all records. */
  lag(topic: string, group: string): Promise<Map<number, number>>
  /** Rejects when the log can't accept appends now. */
  ping(): Promise<void>
  /** Resolves once every append is settled. */
  close(): Promise<void>
}

export interface ConsumeOptions {
  topic: string
  group: string
  /** The first offset of a group without a commit. */
  initialOffset: 'earliest' | 'latest'
  /** The most records of one call of `take`. */
  maxRecords: number
  /** Called when the adapter lost its partitions or its connection. It recovers by itself. */
  onError?(error: Error): void
}

export interface Consumer {
  /** `offset` is the next offset to read. Rejects when the partition is assigned elsewhere: its records are delivered again. */
  commit(partition: number, offset: number): Promise<void>
  /** Waits for running calls of `take`. Commits nothing more. */
  close(): Promise<void>
}

export interface NewRecord {
  /** Selects the partition by murmur2, as every Kafka client does; null: any partition. */
  key: string | Uint8Array | null
  /** null is a tombstone. */
  value: string | Uint8Array | null
  headers?: Record<string, string | Uint8Array>
}

export interface Position {
  partition: number
  offset: number
}

export interface LogRecord extends Position {
  /** Milliseconds since the epoch. */
  time: number
  key: Buffer | null
  value: Buffer | null
  headers: [name: string, value: Buffer][]
}
