import { partitionOf } from '#adapters/log/partition.ts'
import type { ConsumeOptions, Consumer, Log, LogRecord, NewRecord } from '#core/log.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Io } from './store.ts'

const MAX_RECORD_BYTES = 1_048_576

/** The topics of three brokers, from the view of their clients: an acknowledged record is kept in order. */
export interface Topics {
  partitions(topic: string): LogRecord[][]
  ensure(topic: string, partitions: number): void
  append(topic: string, record: NewRecord, time: number): LogRecord
  /** Makes the caller the only member of the group, and returns the committed offsets. Earlier members lose their partitions. */
  join(
    topic: string,
    group: string,
  ): { committed: ReadonlyMap<number, number>; commit(partition: number, offset: number): void }
  lag(topic: string, group: string): Map<number, number>
  /** Calls `look` at each append, until the returned function is called. */
  onAppend(look: () => void): () => void
}

export function newTopics(): Topics {
  const topics = new Map<string, LogRecord[][]>()
  const commits = new Map<string, Map<number, number>>()
  const members = new Map<string, symbol>()
  const lookers = new Set<() => void>()
  let keyless = 0

  function partitions(topic: string): LogRecord[][] {
    const found = topics.get(topic)
    if (!found) throw new Error(`log: there is no topic ${topic}`)
    return found
  }

  function committed(topic: string, group: string): Map<number, number> {
    const known = commits.get(`${topic} ${group}`) ?? new Map<number, number>()
    commits.set(`${topic} ${group}`, known)
    return known
  }

  return {
    partitions,
    ensure(topic, count) {
      const known = topics.get(topic)?.length ?? count
      if (known !== count) throw new Error(`log: topic ${topic} has ${known} partitions, not ${count}`)
      if (!topics.has(topic))
        topics.set(
          topic,
          Array.from({ length: count }, () => []),
        )
    },
    append(topic, { key, value, headers = {} }, time) {
      const all = partitions(topic)
      if (value !== null && value.length > MAX_RECORD_BYTES) throw new Error('log: the record is too large')
      const partition = key === null ? keyless++ % all.length : partitionOf(key, all.length)
      const records = all[partition] as LogRecord[]
      const record: LogRecord = {
        partition,
        offset: records.length,
        time,
        key: bytes(key),
        value: bytes(value),
        headers: Object.entries(headers).map(([name, value]) => [name, bytes(value) as Buffer]),
      }
      records.push(record)
      for (const look of lookers) look()
      return record
    },
    join(topic, group) {
      const offsets = committed(topic, group)
      const member = Symbol(group)
      members.set(`${topic} ${group}`, member)
      return {
        committed: offsets,
        commit(partition, offset) {
          if (members.get(`${topic} ${group}`) !== member) throw new Error('log: the partition is no longer ours')
          offsets.set(partition, offset)
        },
      }
    },
    lag: (topic, group) =>
      new Map(partitions(topic).map(({ length }, at) => [at, length - (committed(topic, group).get(at) ?? 0)])),
    onAppend(look) {
      lookers.add(look)
      return () => lookers.delete(look)
    },
  }
}

const bytes = (value: string | Uint8Array | null): Buffer | null => (value === null ? null : Buffer.from(value))

/** The log port on topics. `io` determines how long each call takes, and how it ends. */
export function simulatedLog(topics: Topics, io: Io, now: () => number, maxBuffered = 1000): Log {
  let isClosed = false
  const pending = new Set<Promise<unknown>>()

  return {
    async ensure(wanted) {
      for (const { name, partitions } of wanted) topics.ensure(name, partitions)
    },

    append(topic, record) {
      if (isClosed) return Promise.reject(new Unavailable('log', 'it is closed'))
      if (pending.size >= maxBuffered) return Promise.reject(new Unavailable('log', 'the buffer is full'))
      const append = io('append', () => {
        const { partition, offset } = topics.append(topic, record, now())
        return { partition, offset }
      }).finally(() => pending.delete(append))
      pending.add(append)
      return append
    },

    async *scan(topic, from) {
      const until = topics.partitions(topic).map((records) => [...records])
      for (const [at, records] of until.entries()) yield* records.slice(from?.get(at) ?? 0)
    },

    consume: async (options, take) => consume(topics, io, options, take),
    lag: async (topic, group) => topics.lag(topic, group),
    ping: () => io('ping', () => undefined),
    async close() {
      isClosed = true
      await Promise.allSettled(pending)
    },
  }
}

function consume(
  topics: Topics,
  io: Io,
  { topic, group, initialOffset, maxRecords, onError }: ConsumeOptions,
  take: (records: LogRecord[]) => Promise<void>,
): Consumer {
  const { committed, commit } = topics.join(topic, group)
  const readers = topics.partitions(topic).map((records, partition) => {
    const first = initialOffset === 'earliest' ? 0 : records.length
    return {
      partition,
      records,
      next: committed.get(partition) ?? first,
      reading: undefined as Promise<void> | undefined,
    }
  })
  let isClosed = false

  async function read(reader: (typeof readers)[number]): Promise<void> {
    while (!isClosed && reader.next < reader.records.length) {
      try {
        const records = await io('fetch', () => reader.records.slice(reader.next, reader.next + maxRecords))
        if (isClosed) return
        await take(records)
        reader.next += records.length
      } catch (error) {
        onError?.(error as Error)
      }
    }
  }

  function look(): void {
    for (const reader of readers) {
      reader.reading ??= read(reader).finally(() => {
        reader.reading = undefined
        if (!isClosed && reader.next < reader.records.length) look()
      })
    }
  }

  const cancel = topics.onAppend(look)
  look()
  return {
    commit: (partition, offset) => io('commit offset', () => commit(partition, offset)),
    async close() {
      isClosed = true
      cancel()
      await Promise.all(readers.map(({ reading }) => reading))
    },
  }
}
