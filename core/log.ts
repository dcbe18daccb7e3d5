import type { Topic } from '#domains/domain.ts'

/** How long a topic keeps its records, and so how long a command id is remembered: the horizon. */
export const RETENTION_DAYS = 30

/**
 * The log port. Two adapters, one contract suite (test/contracts/log.ts): embedded (node:sqlite) and kafka (kafkajs).
 * Every method rejects with `Unavailable` in an outage and with another error for a mistake.
 */
export interface Log {
  /** Makes missing topics as declared and throws when an existing one differs. Safe to repeat. */
  ensure(topics: Pick<Topic, 'name' | 'partitions'>[]): Promise<void>
  /**
   * Resolves once the record is durable (all in-sync replicas; fsync). Records with one key keep the order of their calls.
   * Rejects at `deadline` (by the system's clock), or at the adapter's own if that is earlier; a full buffer rejects at once.
   * `Unavailable.mayBeWritten` tells "no" from "unknown".
   */
  append(topic: string, record: NewRecord, deadline?: number): Promise<Position>
  /** Every record from the start (or from `from`, by partition) up to where the topic ended when it was called. */
  scan(topic: string, from?: ReadonlyMap<number, number>): AsyncIterable<LogRecord>
  /**
   * Hands records to `take`, in order within a partition, from the group's committed offset. The next records of a
   * partition come only after `take` resolved; other partitions go on meanwhile. Never commits by itself.
   */
  consume(options: ConsumeOptions, take: (records: LogRecord[]) => Promise<void>): Promise<Consumer>
  /** How many records the group has yet to commit, by partition. A group without a commit lags by everything. */
  lag(topic: string, group: string): Promise<Map<number, number>>
  /** Rejects when the log can't take appends now. */
  ping(): Promise<void>
  /** Resolves once all that was appended is settled. */
  close(): Promise<void>
}

export interface ConsumeOptions {
  topic: string
  group: string
  /** Where a group without a commit begins. */
  initialOffset: 'earliest' | 'latest'
  /** How many records `take` gets at most. */
  maxRecords: number
  /** Told when the adapter lost its partitions or its connection; it goes on by itself. */
  onError?(error: Error): void
}

export interface Consumer {
  /** `offset` is the next one to read. Rejects when the partition is no longer ours: it will be delivered again. */
  commit(partition: number, offset: number): Promise<void>
  /** Waits for `take`s under way, commits nothing more. */
  close(): Promise<void>
}

export interface NewRecord {
  /** Chooses the partition (murmur2, as every Kafka client); null: any partition. */
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
