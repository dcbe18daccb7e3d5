import type { EmbeddedFile } from '#adapters/embedded/file.ts'
import { systemClock } from '#core/clock.ts'
import type { ConsumeOptions, Consumer, Log, LogRecord, NewRecord, Position } from '#core/log.ts'
import { Unavailable } from '#core/unavailable.ts'
import { partitionOf } from './partition.ts'

/** Commits are written this late at most: a crash delivers again what came since, as a KafkaSource does. */
const COMMIT_DELAY_MS = 50
const SCAN_PAGE = 1000
/** As Kafka has it by default. */
const MAX_RECORD_BYTES = 1_048_576
/** A `take` that failed gets the same records again after this. */
const AGAIN_AFTER_MS = 500

interface Pending {
  topic: string
  partition: number
  record: NewRecord
  resolve(position: Position): void
  reject(error: unknown): void
}

interface Row {
  partition: number
  offset: number
  time: number
  key: Uint8Array | null
  value: Uint8Array | null
  headers: string
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS log_topics (name TEXT PRIMARY KEY, partitions INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS log_records (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL,
    time INTEGER NOT NULL, key BLOB, value BLOB, headers TEXT NOT NULL,
    PRIMARY KEY (topic, partition, offset)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS log_commits (
    consumers TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL,
    PRIMARY KEY (consumers, topic, partition)) WITHOUT ROWID;
`

export interface EmbeddedLogOptions {
  maxBuffered?: number
  /** Told of each flush that is on disk. */
  onSend?(topic: string, records: number): void
}

/** The log in the embedded file. What arrives in one turn of the event loop is one transaction: one flush to disk. */
export function embeddedLog(file: EmbeddedFile, { maxBuffered = 10_000, onSend }: EmbeddedLogOptions = {}): Log {
  const { database, describeError, probeWrite } = file

  /** Trouble with the file as `Unavailable`, anything else as it is. */
  function orUnavailable<Result>(work: () => Result): Result {
    try {
      return work()
    } catch (cause) {
      const trouble = database.isOpen ? describeError(cause) : 'the embedded file is closed'
      throw trouble === undefined ? cause : new Unavailable('log', trouble, { cause })
    }
  }

  const notWritten = (cause: unknown): Unavailable =>
    new Unavailable('log', describeError(cause) ?? 'the embedded file can not be written', { cause })

  orUnavailable(() => database.exec(TABLES))
  const insertRecord = database.prepare('INSERT INTO log_records VALUES (?, ?, ?, ?, ?, ?, ?)')
  const selectRecords = database.prepare(
    'SELECT partition, offset, time, key, value, headers FROM log_records WHERE topic = ? AND partition = ? AND offset >= ? AND offset < ? ORDER BY offset LIMIT ?',
  )
  const selectEnd = database.prepare('SELECT max(offset) + 1 AS end FROM log_records WHERE topic = ? AND partition = ?')
  const selectTopics = database.prepare('SELECT name, partitions FROM log_topics')
  const selectCommits = database.prepare('SELECT partition, offset FROM log_commits WHERE consumers = ? AND topic = ?')
  const upsertCommit = database.prepare('INSERT OR REPLACE INTO log_commits VALUES (?, ?, ?, ?)')

  const topics = new Map<string, number>()
  for (const { name, partitions } of selectTopics.all()) topics.set(String(name), Number(partitions))
  /** The next offset of each partition of each topic. */
  const ends = new Map<string, number[]>()
  const wakers = new Set<() => void>()
  const consumers = new Set<Consumer>()
  let pending: Pending[] = []
  let spread = 0
  let closed = false

  function endsOf(topic: string): number[] {
    const known = ends.get(topic)
    if (known) return known
    const partitions = topics.get(topic)
    if (partitions === undefined) throw new Error(`log: there is no topic ${topic}`)
    const found = Array.from({ length: partitions }, (_, partition) =>
      orUnavailable(() => Number(selectEnd.get(topic, partition)?.end ?? 0)),
    )
    ends.set(topic, found)
    return found
  }

  function flush(): void {
    const batch = pending
    pending = []
    const time = Date.now()
    const positions: Position[] = []
    const next = new Map<string, number[]>()
    try {
      database.exec('BEGIN')
      for (const { topic, partition, record } of batch) {
        const offsets = next.get(topic) ?? [...endsOf(topic)]
        next.set(topic, offsets)
        const offset = offsets[partition] as number
        insertRecord.run(topic, partition, offset, time, bytes(record.key), bytes(record.value), packed(record.headers))
        offsets[partition] = offset + 1
        positions.push({ partition, offset })
      }
      database.exec('COMMIT')
    } catch (cause) {
      if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
      for (const { reject } of batch) reject(notWritten(cause))
      return
    }
    for (const [topic, offsets] of next) {
      ends.set(topic, offsets)
      onSend?.(topic, batch.filter((entry) => entry.topic === topic).length)
    }
    for (const [index, { resolve }] of batch.entries()) resolve(positions[index] as Position)
    for (const wake of wakers) wake()
  }

  function read(topic: string, partition: number, from: number, end: number, limit: number): LogRecord[] {
    const rows = orUnavailable(() => selectRecords.all(topic, partition, from, end, limit)) as unknown as Row[]
    return rows.map(toRecord)
  }

  function committed(topic: string, group: string): Map<number, number> {
    const rows = orUnavailable(() => selectCommits.all(group, topic))
    return new Map(rows.map(({ partition, offset }) => [Number(partition), Number(offset)]))
  }

  return {
    async ensure(wanted) {
      for (const { name, partitions } of wanted) {
        const there = topics.get(name)
        if (there === partitions) continue
        if (there !== undefined) throw new Error(`log: topic ${name} has ${there} partitions, not ${partitions}`)
        orUnavailable(() => database.prepare('INSERT INTO log_topics VALUES (?, ?)').run(name, partitions))
        topics.set(name, partitions)
      }
    },

    append(topic, record) {
      if (closed) return Promise.reject(new Unavailable('log', 'the embedded file is closed'))
      if (pending.length >= maxBuffered) return Promise.reject(new Unavailable('log', 'the buffer is full'))
      if (isTooLarge(record)) return Promise.reject(new Error(`log: a record of more than ${MAX_RECORD_BYTES} bytes`))
      const partitions = topics.get(topic)
      if (partitions === undefined) return Promise.reject(new Error(`log: there is no topic ${topic}`))
      const partition = record.key === null ? spread++ % partitions : partitionOf(record.key, partitions)
      return new Promise((resolve, reject) => {
        if (pending.push({ topic, partition, record, resolve, reject }) === 1) setImmediate(flush)
      })
    },

    async *scan(topic, from) {
      const until = [...endsOf(topic)]
      for (const [partition, end] of until.entries()) {
        for (let offset = from?.get(partition) ?? 0; offset < end; ) {
          const records = read(topic, partition, offset, end, SCAN_PAGE)
          yield* records
          offset = (records.at(-1)?.offset ?? end) + 1
        }
      }
    },

    async consume(options, take) {
      const consumer = consuming(options, take)
      consumers.add(consumer)
      return consumer
    },

    async lag(topic, group) {
      const done = committed(topic, group)
      return new Map(endsOf(topic).map((end, partition) => [partition, end - (done.get(partition) ?? 0)]))
    },

    async ping() {
      if (closed) throw new Unavailable('log', 'the embedded file is closed')
      orUnavailable(probeWrite)
    },

    async close() {
      closed = true
      while (pending.length > 0) await new Promise((resolve) => setImmediate(resolve))
      await Promise.all([...consumers].map((consumer) => consumer.close()))
    },
  }

  function consuming(options: ConsumeOptions, take: (records: LogRecord[]) => Promise<void>): Consumer {
    const { topic, group, initialOffset, maxRecords, onError } = options
    const start = committed(topic, group)
    const positions = endsOf(topic).map(
      (end, partition) => start.get(partition) ?? (initialOffset === 'earliest' ? 0 : end),
    )
    const busy = new Set<number>()
    const taking = new Set<Promise<void>>()
    const commits = new Map<number, number>()
    let timer: NodeJS.Timeout | undefined
    const stopping = new AbortController()

    /** Trouble with the file passes: it looks again. */
    function pump(): void {
      if (stopping.signal.aborted) return
      try {
        takeNext()
      } catch (error) {
        onError?.(error as Error)
        setTimeout(pump, AGAIN_AFTER_MS).unref()
      }
    }

    function takeNext(): void {
      for (const [partition, from] of positions.entries()) {
        if (stopping.signal.aborted) return
        if (busy.has(partition) || from >= (endsOf(topic)[partition] ?? 0)) continue
        const records = read(topic, partition, from, Number.MAX_SAFE_INTEGER, maxRecords)
        positions[partition] = (records.at(-1)?.offset ?? from) + 1
        busy.add(partition)
        const taken = take(records)
          .catch(async (error) => {
            onError?.(error)
            positions[partition] = from
            await systemClock.sleep(AGAIN_AFTER_MS, stopping.signal)
          })
          .finally(() => {
            taking.delete(taken)
            busy.delete(partition)
            setImmediate(pump)
          })
        taking.add(taken)
      }
    }

    /** Commits that can't be written stay for the next time: their records are delivered again at worst. */
    function writeCommits(): void {
      clearTimeout(timer)
      timer = undefined
      if (commits.size === 0) return
      try {
        database.exec('BEGIN')
        for (const [partition, offset] of commits) upsertCommit.run(group, topic, partition, offset)
        database.exec('COMMIT')
        commits.clear()
      } catch (cause) {
        if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
        onError?.(notWritten(cause))
      }
    }

    wakers.add(pump)
    setImmediate(pump)
    return {
      async commit(partition, offset) {
        commits.set(partition, offset)
        timer ??= setTimeout(writeCommits, COMMIT_DELAY_MS)
      },
      async close() {
        stopping.abort()
        wakers.delete(pump)
        consumers.delete(this)
        await Promise.all(taking)
        writeCommits()
      },
    }
  }
}

function isTooLarge({ key, value, headers = {} }: NewRecord): boolean {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0)
  return bytes > MAX_RECORD_BYTES
}

const bytes = (value: string | Uint8Array | null): Uint8Array | null =>
  typeof value === 'string' ? Buffer.from(value) : value

/** Header values are bytes; JSON keeps them as latin1 text, one character a byte. */
function packed(headers: NewRecord['headers'] = {}): string {
  return JSON.stringify(Object.entries(headers).map(([name, value]) => [name, latin1(value)]))
}

const PRINTABLE = /^[\x20-\x7e]*$/

/** Printable ASCII, which nearly every header is, is the same in both: no need to go through its bytes. */
const latin1 = (value: string | Uint8Array): string =>
  typeof value === 'string' && PRINTABLE.test(value) ? value : Buffer.from(value as string).toString('latin1')

function toRecord({ partition, offset, time, key, value, headers }: Row): LogRecord {
  return {
    partition,
    offset,
    time,
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    headers: (JSON.parse(headers) as [string, string][]).map(([name, text]) => [name, Buffer.from(text, 'latin1')]),
  }
}
