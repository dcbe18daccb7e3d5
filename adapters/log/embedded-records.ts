import type { EmbeddedFile } from '#adapters/embedded/file.ts'
import type { LogRecord, NewRecord, Position } from '#core/log.ts'
import { Unavailable } from '#core/unavailable.ts'

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

interface Row {
  partition: number
  offset: number
  time: number
  key: Uint8Array | null
  value: Uint8Array | null
  headers: string
}

export interface Addressed {
  topic: string
  partition: number
  record: NewRecord
}

/** A stretch of one partition: offsets from `from` to before `end`, at most `limit` records. */
export interface Stretch {
  topic: string
  partition: number
  from: number
  end: number
  limit: number
}

/** The log's tables in the embedded file. Every method throws `Unavailable` for an error of the file. */
export interface EmbeddedRecords {
  /** The number of partitions of a topic; undefined for a topic that does not exist. */
  partitionsOf(topic: string): number | undefined
  addTopic(name: string, partitions: number): void
  /** The next offset of each partition. */
  endsOf(topic: string): readonly number[]
  /** Writes all records in one transaction, or none. */
  write(batch: Addressed[]): Position[]
  read(stretch: Stretch): LogRecord[]
  /** The committed offsets of a group, by partition. */
  commits(topic: string, group: string): Map<number, number>
  writeCommits(topic: string, group: string, offsets: ReadonlyMap<number, number>): void
  /** Throws unless a write of some size reaches the disk. */
  probeWrite(): void
}

export function embeddedRecords(file: EmbeddedFile): EmbeddedRecords {
  const { database, probeWrite } = file
  const { orUnavailable, transaction } = guarded(file)
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
  const ends = new Map<string, number[]>()

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

  return {
    partitionsOf: (topic) => topics.get(topic),

    addTopic(name, partitions) {
      orUnavailable(() => database.prepare('INSERT INTO log_topics VALUES (?, ?)').run(name, partitions))
      topics.set(name, partitions)
    },

    endsOf,

    write(batch) {
      const time = Date.now()
      const positions: Position[] = []
      const next = new Map<string, number[]>()
      transaction(() => {
        for (const { topic, partition, record } of batch) {
          const offsets = next.get(topic) ?? [...endsOf(topic)]
          next.set(topic, offsets)
          const offset = offsets[partition] as number
          const { key, value, headers } = record
          insertRecord.run(topic, partition, offset, time, toBytes(key), toBytes(value), toJson(headers))
          offsets[partition] = offset + 1
          positions.push({ partition, offset })
        }
      })
      for (const [topic, offsets] of next) ends.set(topic, offsets)
      return positions
    },

    read({ topic, partition, from, end, limit }) {
      const rows = orUnavailable(() => selectRecords.all(topic, partition, from, end, limit)) as unknown as Row[]
      return rows.map(toRecord)
    },

    commits(topic, group) {
      const rows = orUnavailable(() => selectCommits.all(group, topic))
      return new Map(rows.map(({ partition, offset }) => [Number(partition), Number(offset)]))
    },

    writeCommits(topic, group, offsets) {
      transaction(() => {
        for (const [partition, offset] of offsets) upsertCommit.run(group, topic, partition, offset)
      })
    },

    probeWrite: () => orUnavailable(probeWrite),
  }
}

/** Access to the file whose errors are `Unavailable`. */
function guarded({ database, describeError }: EmbeddedFile) {
  /** Errors of the file become `Unavailable`; any other error is thrown unchanged. */
  function orUnavailable<Result>(work: () => Result): Result {
    try {
      return work()
    } catch (cause) {
      const message = database.isOpen ? describeError(cause) : 'the embedded file is closed'
      throw message === undefined ? cause : new Unavailable('log', message, { cause })
    }
  }

  /** All of `work` or nothing, on disk when it returns. Every error means that nothing was written. */
  function transaction(work: () => void): void {
    try {
      database.exec('BEGIN')
      work()
      database.exec('COMMIT')
    } catch (cause) {
      if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
      throw new Unavailable('log', describeError(cause) ?? 'the embedded file can not be written', { cause })
    }
  }

  return { orUnavailable, transaction }
}

const toBytes = (value: string | Uint8Array | null): Uint8Array | null =>
  typeof value === 'string' ? Buffer.from(value) : value

/** Header values are bytes. JSON stores them as Latin-1 text, one character a byte. */
const toJson = (headers: NewRecord['headers'] = {}): string =>
  JSON.stringify(Object.entries(headers).map(([name, value]) => [name, toLatin1(value)]))

const PRINTABLE = /^[\x20-\x7e]*$/

/** Printable ASCII is the same in both encodings, and nearly every header is printable ASCII. */
const toLatin1 = (value: string | Uint8Array): string =>
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
