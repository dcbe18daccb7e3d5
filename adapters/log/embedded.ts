import type { EmbeddedFile } from '#adapters/embedded/file.ts'
import type { Log, NewRecord, Position } from '#core/log.ts'
import type { Metrics } from '#core/telemetry.ts'
import { Unavailable } from '#core/unavailable.ts'
import { type EmbeddedConsumer, embeddedConsumer } from './embedded-consumer.ts'
import { type Addressed, embeddedRecords } from './embedded-records.ts'
import { partitionOf } from './partition.ts'

const SCAN_PAGE = 1000
/** Kafka's default. */
const MAX_RECORD_BYTES = 1_048_576

interface Append extends Addressed {
  resolve(position: Position): void
  reject(error: unknown): void
}

export interface EmbeddedLogOptions {
  maxBuffered?: number
  metrics?: Pick<Metrics, 'batchSize'>
}

/** The log in the embedded file. All appends of one turn of the event loop are one transaction: one flush to disk. */
export function embeddedLog(file: EmbeddedFile, { maxBuffered = 10_000, metrics }: EmbeddedLogOptions = {}): Log {
  const records = embeddedRecords(file)
  const consumers = new Set<EmbeddedConsumer>()
  let pending: Append[] = []
  let withoutKey = 0
  let isClosed = false

  function flush(): void {
    const batch = pending
    pending = []
    let positions: Position[]
    try {
      positions = records.write(batch)
    } catch (error) {
      for (const { reject } of batch) reject(error)
      return
    }
    for (const topic of new Set(batch.map(({ topic }) => topic))) {
      metrics?.batchSize('publish', topic, batch.filter((append) => append.topic === topic).length)
    }
    for (const [index, { resolve }] of batch.entries()) resolve(positions[index] as Position)
    for (const consumer of consumers) consumer.wake()
  }

  return {
    async ensure(topics) {
      for (const { name, partitions } of topics) {
        const existing = records.partitionsOf(name)
        if (existing === partitions) continue
        if (existing !== undefined) throw new Error(`log: topic ${name} has ${existing} partitions, not ${partitions}`)
        records.addTopic(name, partitions)
      }
    },

    append(topic, record) {
      if (isClosed) return Promise.reject(new Unavailable('log', 'the embedded file is closed'))
      if (pending.length >= maxBuffered) return Promise.reject(new Unavailable('log', 'the buffer is full'))
      if (isTooLarge(record)) return Promise.reject(new Error(`log: a record of more than ${MAX_RECORD_BYTES} bytes`))
      const partitions = records.partitionsOf(topic)
      if (partitions === undefined) return Promise.reject(new Error(`log: there is no topic ${topic}`))
      const partition = record.key === null ? withoutKey++ % partitions : partitionOf(record.key, partitions)
      return new Promise((resolve, reject) => {
        if (pending.push({ topic, partition, record, resolve, reject }) === 1) setImmediate(flush)
      })
    },

    async *scan(topic, start) {
      const ends = [...records.endsOf(topic)]
      for (const [partition, end] of ends.entries()) {
        for (let from = start?.get(partition) ?? 0; from < end; ) {
          const page = records.read({ topic, partition, from, end, limit: SCAN_PAGE })
          yield* page
          from = (page.at(-1)?.offset ?? end) + 1
        }
      }
    },

    async consume(options, take) {
      const consumer = embeddedConsumer(records, options, take)
      consumers.add(consumer)
      return {
        commit: consumer.commit,
        async close() {
          consumers.delete(consumer)
          await consumer.close()
        },
      }
    },

    async lag(topic, group) {
      const done = records.commits(topic, group)
      return new Map(records.endsOf(topic).map((end, partition) => [partition, end - (done.get(partition) ?? 0)]))
    },

    async ping() {
      if (isClosed) throw new Unavailable('log', 'the embedded file is closed')
      records.probeWrite()
    },

    async close() {
      isClosed = true
      while (pending.length > 0) await new Promise((resolve) => setImmediate(resolve))
      await Promise.all([...consumers].map((consumer) => consumer.close()))
    },
  }
}

function isTooLarge({ key, value, headers = {} }: NewRecord): boolean {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0)
  return bytes > MAX_RECORD_BYTES
}
