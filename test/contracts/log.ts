import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { partitionOf } from '#adapters/log/partition.ts'
import type { ConsumeOptions, Consumer, Log, LogRecord, NewRecord } from '#core/log.ts'
import { Unavailable } from '#core/unavailable.ts'

/** Somewhere to keep records. `open` makes a log on it, also after an earlier one was closed. */
export interface Ground {
  open(options?: { maxBuffered: number }): Log
  remove(): Promise<void>
}

const PARTITIONS = 3

export async function readAll(log: Log, topic: string, from?: ReadonlyMap<number, number>): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const record of log.scan(topic, from)) records.push(record)
  return records
}

/** What every adapter of the log port must do. */
export function logContract(name: string, makeGround: () => Promise<Ground>): void {
  let ground: Ground
  let log: Log
  let topic: string
  const closing: (() => Promise<void>)[] = []

  beforeAll(async () => {
    ground = await makeGround()
  })

  afterAll(() => ground.remove())

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  function open(options?: { maxBuffered: number }): Log {
    const opened = ground.open(options)
    closing.push(() => opened.close())
    return opened
  }

  async function givenTopic(options?: { maxBuffered: number }): Promise<void> {
    log = open(options)
    topic = `contract-${randomUUID()}`
    await log.ensure([{ name: topic, partitions: PARTITIONS }])
  }

  const appendAll = (records: NewRecord[]) => Promise.all(records.map((record) => log.append(topic, record)))

  const written = (from?: ReadonlyMap<number, number>) => readAll(log, topic, from)

  /** A key of its own for each partition. */
  const keys = Array.from({ length: PARTITIONS }, (_, partition) => keyIn(partition))
  const [first, second] = keys as [string, string, string]

  async function consume(
    take: (records: LogRecord[]) => Promise<void>,
    options: Partial<ConsumeOptions> = {},
  ): Promise<Consumer> {
    const consumer = await log.consume(
      { topic, group: 'group', initialOffset: 'earliest', maxRecords: 50, ...options },
      take,
    )
    let isClosed = false
    const close = async () => {
      if (isClosed) return
      isClosed = true
      await consumer.close()
    }
    closing.push(close)
    return { commit: consumer.commit, close }
  }

  /** Keeps what it takes. */
  function taker() {
    const taken: LogRecord[] = []
    const take = async (records: LogRecord[]) => void taken.push(...records)
    return { taken, take }
  }

  describe(`log contract: ${name}`, () => {
    test('given an existing topic, then ensuring it again changes nothing, and another shape is refused', async () => {
      await givenTopic()
      await log.append(topic, { key: 'k', value: 'v' })
      await log.ensure([{ name: topic, partitions: PARTITIONS }])
      expect(await written()).toHaveLength(1)
      const other = log.ensure([{ name: topic, partitions: PARTITIONS + 1 }])
      await expect(other).rejects.toThrow(`topic ${topic} has ${PARTITIONS} partitions, not ${PARTITIONS + 1}`)
    })

    test('given a missing topic, then an append is an error that names it', async () => {
      await givenTopic()
      await expect(log.append('no-such-topic', { key: null, value: 'v' })).rejects.toThrow(/no topic no-such-topic/)
    })

    test('given many concurrent appends, then each key keeps its order and its partition, as in every Kafka client', async () => {
      await givenTopic()
      const records = Array.from({ length: 600 }, (_, number) => ({ key: `key-${number % 20}`, value: String(number) }))
      const positions = await appendAll(records)
      const found = await written()
      const at = new Map(found.map((record) => [`${record.partition}/${record.offset}`, record]))
      for (const [number, { partition, offset }] of positions.entries()) {
        const record = at.get(`${partition}/${offset}`)
        expect(record?.value?.toString()).toBe(String(number))
        expect(partition).toBe(partitionOf(`key-${number % 20}`, PARTITIONS))
      }
      for (const key of new Set(records.map(({ key }) => key))) {
        const numbers = found.filter((record) => record.key?.toString() === key).map(({ value }) => Number(value))
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
        expect(numbers).toHaveLength(30)
      }
    })

    test('given bytes, nulls and headers, then they are read unchanged', async () => {
      await givenTopic()
      const bytes = Buffer.from([0, 255, 128, 10, 0])
      const before = Date.now()
      await log.append(topic, { key: first, value: null, headers: { ce_id: 'ü', raw: bytes, empty: '' } })
      await log.append(topic, { key: first, value: bytes })
      await log.append(topic, { key: first, value: '' })
      const [tombstone, binary, empty] = await written()
      expect(tombstone).toMatchObject({ partition: 0, offset: 0, key: Buffer.from(first), value: null })
      expect(new Map(tombstone?.headers)).toEqual(
        new Map([
          ['ce_id', Buffer.from('ü')],
          ['raw', bytes],
          ['empty', Buffer.alloc(0)],
        ]),
      )
      expect(tombstone?.time).toBeGreaterThan(before - 5000)
      expect(tombstone?.time).toBeLessThan(Date.now() + 5000)
      expect(binary).toMatchObject({ value: bytes, headers: [] })
      expect(empty?.value).toEqual(Buffer.alloc(0))
    })

    test('given no key, then the records are spread over the partitions', async () => {
      await givenTopic()
      const positions = await appendAll(Array.from({ length: 30 }, () => ({ key: null, value: 'v' })))
      expect(new Set(positions.map(({ partition }) => partition)).size).toBe(PARTITIONS)
      expect((await written()).every(({ key }) => key === null)).toBe(true)
    })

    test('given offsets, then a scan begins there and ends at the end of the topic', async () => {
      await givenTopic()
      await appendAll(keys.flatMap((key) => ['a', 'b', 'c'].map((value) => ({ key, value }))))
      const found = await written(
        new Map([
          [0, 1],
          [1, 3],
        ]),
      )
      const places = found.map(({ partition, offset }) => `${partition}/${offset}`)
      expect(places.toSorted()).toEqual(['0/1', '0/2', '2/0', '2/1', '2/2'])
      const everything = log.scan(topic)[Symbol.asyncIterator]()
      await everything.next()
      await log.append(topic, { key: first, value: 'late' })
      let count = 1
      for (let next = await everything.next(); !next.done; next = await everything.next()) count++
      expect(count).toBe(9)
    })

    test('given an acknowledged append, then a scan has it without gaps, while others are in flight', async () => {
      await givenTopic()
      const value = 'x'.repeat(5000)
      const all = Array.from({ length: 400 }, () => log.append(topic, { key: first, value }))
      const { offset } = await (all[100] as (typeof all)[number])
      const found = await written()
      expect(found.length).toBeGreaterThan(offset)
      for (const [index, record] of found.entries()) {
        expect(record.offset).toBe(index)
        expect(record.value?.length).toBe(value.length)
      }
      await Promise.all(all)
    })

    test('given committed records, then a group continues after them once the log is opened again', async () => {
      await givenTopic()
      await appendAll(keys.flatMap((key) => ['0', '1', '2'].map((value) => ({ key, value }))))
      const before = taker()
      const consumer = await consume(before.take)
      await expect.poll(() => before.taken.length, { timeout: 20_000 }).toBe(9)
      await consumer.commit(0, 2)
      await consumer.commit(1, 3)
      await consumer.close()
      await log.close()
      log = open()
      const after = taker()
      await consume(after.take)
      await expect.poll(() => after.taken.length, { timeout: 20_000 }).toBe(4)
      const places = after.taken.map(({ partition, offset }) => `${partition}/${offset}`)
      expect(places.toSorted()).toEqual(['0/2', '2/0', '2/1', '2/2'])
    })

    test('given a running take, then its partition waits and the others continue', async () => {
      await givenTopic()
      await appendAll(keys.flatMap((key) => Array.from({ length: 6 }, (_, number) => ({ key, value: String(number) }))))
      const { promise: stuck, resolve: release } = Promise.withResolvers<void>()
      const taken: LogRecord[][] = keys.map(() => [])
      const sizes: number[] = []
      const consumer = await consume(
        async (records) => {
          sizes.push(records.length)
          const [{ partition }] = records as [LogRecord]
          taken[partition]?.push(...records)
          if (partition === 1) await stuck
        },
        { maxRecords: 2 },
      )
      const counts = () => taken.map(({ length }) => length)
      await expect.poll(counts, { timeout: 20_000 }).toEqual([6, 2, 6])
      await appendAll([first, second].map((key) => ({ key, value: '6' })))
      await expect.poll(counts, { timeout: 20_000 }).toEqual([7, 2, 6])
      await consumer.commit(0, 7)
      release()
      await expect.poll(counts, { timeout: 20_000 }).toEqual([7, 7, 6])
      expect(Math.max(...sizes)).toBe(2)
      for (const records of taken) expect(records.map(({ offset }) => offset)).toEqual([...records.keys()])
    })

    test('given a take that fails, then it gets the same records again', async () => {
      await givenTopic()
      await appendAll(['0', '1', '2'].map((value) => ({ key: first, value })))
      const errors: Error[] = []
      const taken: string[] = []
      let failures = 0
      await consume(
        async (records) => {
          if (failures++ < 2) throw new Error('not now')
          taken.push(...records.map(({ value }) => String(value)))
        },
        { onError: (error) => errors.push(error) },
      )
      await expect.poll(() => taken, { timeout: 20_000 }).toEqual(['0', '1', '2'])
      expect(errors.map(({ message }) => message)).toEqual(['not now', 'not now'])
    })

    test('given a new group from the latest offset, then it gets only later records', async () => {
      await givenTopic()
      await appendAll(keys.map((key) => ({ key, value: 'old' })))
      const { taken, take } = taker()
      await consume(take, { initialOffset: 'latest' })
      await expect
        .poll(
          async () => {
            await appendAll(keys.map((key) => ({ key, value: 'new' })))
            return new Set(taken.map(({ partition }) => partition)).size
          },
          { timeout: 20_000, interval: 200 },
        )
        .toBe(PARTITIONS)
      expect(new Set(taken.map(({ value }) => String(value)))).toEqual(new Set(['new']))
    })

    test('given two groups, then each gets every record', async () => {
      await givenTopic()
      await appendAll(keys.map((key) => ({ key, value: 'v' })))
      const [one, other] = [taker(), taker()]
      await Promise.all([consume(one.take, { group: 'one' }), consume(other.take, { group: 'other' })])
      await expect.poll(() => [one.taken.length, other.taken.length], { timeout: 20_000 }).toEqual([3, 3])
    })

    test('given commits, then the lag is the number of uncommitted records, and of all records for a group without a commit', async () => {
      await givenTopic()
      await appendAll([first, first, first, second].map((key) => ({ key, value: 'v' })))
      const group = `group-${randomUUID()}`
      const lag = async () => [...(await log.lag(topic, group))].toSorted(([a], [b]) => a - b)
      expect(await lag()).toEqual([
        [0, 3],
        [1, 1],
        [2, 0],
      ])
      const { taken, take } = taker()
      const consumer = await consume(take, { group })
      await expect.poll(() => taken.length, { timeout: 20_000 }).toBe(4)
      await consumer.commit(0, 2)
      await expect.poll(lag, { timeout: 20_000 }).toEqual([
        [0, 1],
        [1, 1],
        [2, 0],
      ])
    })

    test('given a record that is too large, then it fails alone, and the error is not an outage', async () => {
      await givenTopic()
      const values = ['a', 'b', 'x'.repeat(1_200_000), 'c', 'd']
      const ends = await Promise.allSettled(values.map((value) => log.append(topic, { key: first, value })))
      expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
      const { reason } = ends[2] as PromiseRejectedResult
      expect(reason).toBeInstanceOf(Error)
      expect(reason).not.toBeInstanceOf(Unavailable)
      expect((await written()).map(({ value }) => String(value))).toEqual(['a', 'b', 'c', 'd'])
    })

    test('given a full buffer, then an append is refused at once and never written', async () => {
      await givenTopic({ maxBuffered: 10 })
      await log.append(topic, { key: first, value: 'first' })
      const ends = await Promise.allSettled(
        Array.from({ length: 15 }, (_, number) => log.append(topic, { key: first, value: String(number) })),
      )
      const refused = ends.filter((end) => end.status === 'rejected').map(({ reason }) => reason)
      expect(refused).toHaveLength(5)
      for (const error of refused) {
        expect(error).toBeInstanceOf(Unavailable)
        expect(error.mayBeWritten).toBe(false)
      }
      expect(await written()).toHaveLength(11)
      await log.append(topic, { key: first, value: 'there is room again' })
    })

    test('given appends in flight, then closing settles them, and later ones are refused', async () => {
      await givenTopic()
      const ends = Promise.all(Array.from({ length: 50 }, () => log.append(topic, { key: first, value: 'v' })))
      await log.close()
      expect(await ends).toHaveLength(50)
      await expect(log.append(topic, { key: first, value: 'late' })).rejects.toMatchObject({
        name: 'Unavailable',
        mayBeWritten: false,
      })
      log = open()
      expect(await written()).toHaveLength(50)
    })

    test('given a working log, then a ping succeeds', async () => {
      await givenTopic()
      await log.ping()
    })
  })
}

function keyIn(partition: number): string {
  for (let number = 0; ; number++) if (partitionOf(`key-${number}`, PARTITIONS) === partition) return `key-${number}`
}
