import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kafkaLog } from '#adapters/log/kafka.ts'
import type { Log, LogRecord } from '#core/log.ts'
import { Unavailable } from '#core/unavailable.ts'
import { readAll } from '#test/contracts/log.ts'
import { eventually } from '../mill.ts'
import { type Services, startServices } from '../services/services.ts'

/** Tests the log against its own brokers, which are killed and paused under load. */

const MINUTE = 60_000
const KAFKA_PORT = 19692
const brokers = [0, 1, 2].map((n) => `127.0.0.1:${KAFKA_PORT + n}`)
const TOPIC = 'proof'
const PARTITIONS = 3
const BROKERS = [1, 2, 3] as const

let services: Services
let log: Log
const retries: unknown[] = []

/** The log is opened before its brokers start. */
beforeAll(async () => {
  log = kafkaLog({ brokers, replication: 3, maxBuffered: 1000, onRetry: (error) => retries.push(error) })
  await expect(log.append(TOPIC, { key: 'k', value: 'v' })).rejects.toMatchObject({ mayBeWritten: false })
  services = await startServices({ dir: '.millrace/brokers-test', kafkaPort: KAFKA_PORT, mongodb: false })
  await eventually(() => log.ensure([{ name: TOPIC, partitions: PARTITIONS }]), { within: 30_000 })
  await eventually(() => log.append(TOPIC, { key: 'warm', value: '-1' }), { within: 30_000 })
}, 3 * MINUTE)

afterAll(async () => {
  await log?.close()
  await services?.stop()
}, MINUTE)

interface Position {
  partition: number
  offset: number
}

/** The results that callers received for each value. */
interface Results {
  acknowledged: Map<string, Position>
  refused: Set<string>
  ambiguous: Set<string>
  slowestMs: number
}

/** Appends numbered values to several keys, with several concurrent appends for each key. */
function startLoad(keys = 24, inFlight = 200) {
  const results: Results = { acknowledged: new Map(), refused: new Set(), ambiguous: new Set(), slowestMs: 0 }
  const bugs: unknown[] = []
  let isStopped = false
  let count = 0
  const add = async () => {
    const number = count++
    const value = `${number}`
    const before = Date.now()
    try {
      results.acknowledged.set(value, await log.append(TOPIC, { key: `key-${number % keys}`, value }))
    } catch (error) {
      if (error instanceof Unavailable) (error.mayBeWritten ? results.ambiguous : results.refused).add(value)
      else bugs.push(error)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    results.slowestMs = Math.max(results.slowestMs, Date.now() - before)
  }
  const client = async () => {
    while (!isStopped) {
      await add()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const clients = Promise.all(Array.from({ length: inFlight }, client))
  return {
    results,
    bugs,
    async stop() {
      isStopped = true
      await clients
    },
  }
}

async function partitions() {
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING, requestTimeout: 2000 }).admin()
  await admin.connect()
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [TOPIC] })
    return topics[0]?.partitions ?? []
  } finally {
    await admin.disconnect()
  }
}

const leaderOf = (partition: number) =>
  eventually(async () => {
    const leader = (await partitions()).find(({ partitionId }) => partitionId === partition)?.leader
    const node = BROKERS.find((n) => n === leader)
    if (!node) throw new Error(`partition ${partition} has no leader`)
    return services.broker(node)
  })

const healed = () =>
  eventually(async () => expect((await partitions()).map(({ isr }) => isr.length)).toEqual([3, 3, 3]), {
    within: MINUTE,
    every: 200,
  })

const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000))

/** Compares the log with the results that callers received. */
function check(found: LogRecord[], { acknowledged, refused, ambiguous }: Results): void {
  const times = new Map<string, number>()
  const last = new Map<string, number>()
  const places = new Map<string, string>()
  const wrong: string[] = []
  for (const { partition, offset, key, value } of found) {
    const text = String(value)
    times.set(text, (times.get(text) ?? 0) + 1)
    places.set(`${partition}/${offset}`, text)
    const before = last.get(String(key)) ?? -1
    if (Number(text) < before) wrong.push(`${text} lies behind ${before}`)
    last.set(String(key), Number(text))
  }
  for (const [value, { partition, offset }] of acknowledged) {
    if (times.get(value) !== 1) wrong.push(`${value} was acknowledged and is there ${times.get(value) ?? 0} times`)
    if (places.get(`${partition}/${offset}`) !== value) wrong.push(`${value} is not where its answer said`)
  }
  for (const value of refused) if (times.has(value)) wrong.push(`${value} was refused and is there`)
  for (const value of ambiguous) if ((times.get(value) ?? 0) > 1) wrong.push(`${value} is there more than once`)
  expect(wrong.slice(0, 20), `${wrong.length} wrong`).toEqual([])
}

test('given leaders that are killed and paused under load, each acknowledged record exists once, in order', {
  timeout: 4 * MINUTE,
}, async () => {
  const { results, bugs, stop } = startLoad()
  await seconds(2)
  const killed = await leaderOf(0)
  await killed.kill()
  await seconds(4)
  await killed.start()
  await healed()

  const paused = await leaderOf(1)
  paused.pause()
  await seconds(7)
  paused.resume()
  await seconds(2)

  const [one, other] = [await leaderOf(2), await leaderOf(0)]
  await Promise.all([one.kill(), other.kill()])
  await seconds(4)
  await Promise.all([one.start(), other.start()])
  await healed()
  await seconds(2)
  await stop()

  expect(bugs).toEqual([])
  expect(results.acknowledged.size).toBeGreaterThan(5000)
  expect(results.ambiguous.size, 'the faults were felt').toBeGreaterThan(0)
  expect(retries.length, 'sends outlasted the retries of kafkajs').toBeGreaterThan(0)
  expect(results.slowestMs).toBeLessThan(2500)
  await eventually(() => log.append(TOPIC, { key: 'end', value: '-1' }))
  const found = await readAll(log, TOPIC)
  check(
    found.filter(({ value }) => String(value) !== '-1'),
    results,
  )
  console.log(
    `${results.acknowledged.size} acknowledged, ${results.ambiguous.size} ambiguous, ${results.refused.size} refused, ${retries.length} sends repeated, slowest answer ${results.slowestMs} ms`,
  )
})

/** The coordinator of a group, which leads the partition of the offsets topic for the group's name. */
async function coordinatorOf(group: string) {
  let hash = 0
  for (const unit of group) hash = (Math.imul(31, hash) + unit.charCodeAt(0)) | 0
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING, requestTimeout: 2000 }).admin()
  await admin.connect()
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: ['__consumer_offsets'] })
    const all = topics[0]?.partitions ?? []
    const mine = all.find(({ partitionId }) => partitionId === (hash & 0x7fffffff) % all.length)
    const node = BROKERS.find((n) => n === mine?.leader)
    if (!node) throw new Error(`group ${group} has no coordinator`)
    return services.broker(node)
  } finally {
    await admin.disconnect()
  }
}

test('given group coordinators that are killed under load, the group commits again within seconds and misses nothing', {
  timeout: 4 * MINUTE,
}, async () => {
  const group = 'committer'
  const taken = new Map<string, number>()
  const ends = new Map<number, number>()
  const committed = new Map<number, number>()
  const consumer = await log.consume(
    { topic: TOPIC, group, initialOffset: 'earliest', maxRecords: 500 },
    async (records) => {
      for (const { partition, offset, value } of records) {
        taken.set(String(value), (taken.get(String(value)) ?? 0) + 1)
        ends.set(partition, offset + 1)
      }
    },
  )
  let isStopped = false
  async function commitAll(): Promise<void> {
    while (!isStopped) {
      for (const [partition, end] of ends) {
        const isDone = await consumer.commit(partition, end).then(
          () => true,
          () => false,
        )
        if (isDone) committed.set(partition, Date.now())
      }
      await seconds(1)
    }
  }
  const committing = commitAll()
  const { results, stop } = startLoad(24, 50)
  const allCommitted = (since: number) =>
    expect.poll(() => [...committed.values()].filter((at) => at > since).length, { timeout: MINUTE }).toBe(PARTITIONS)
  await allCommitted(Date.now())

  const took: number[] = []
  for (let round = 0; round < 3; round++) {
    const coordinator = await eventually(() => coordinatorOf(group), { within: MINUTE })
    await coordinator.kill()
    const since = Date.now()
    await allCommitted(since)
    took.push((Date.now() - since) / 1000)
    await coordinator.start()
    await healed()
  }
  await stop()
  await expect
    .poll(() => [...results.acknowledged.keys()].filter((value) => !taken.has(value)).length, { timeout: MINUTE })
    .toBe(0)
  isStopped = true
  await committing
  await consumer.close()
  expect(Math.max(...took)).toBeLessThan(30)
  console.log(
    `committed again after ${took.join(', ')} s; ${results.acknowledged.size} acknowledged and all taken, ${[...taken.values()].filter((times) => times > 1).length} of them twice`,
  )
})

test('given brokers that are all paused, each append ends by its own deadline', async () => {
  await Promise.all(BROKERS.map((n) => services.broker(n).pause()))
  const late = await Promise.all(
    Array.from({ length: 60 }, async (_, number) => {
      const deadline = Date.now() + 100 * (1 + (number % 12))
      const end = await log
        .append(TOPIC, { key: `key-${number}`, value: `${number}` }, deadline)
        .catch((error) => error)
      expect(end).toBeInstanceOf(Unavailable)
      return Date.now() - deadline
    }),
  )
  for (const n of BROKERS) services.broker(n).resume()
  expect(Math.min(...late)).toBeGreaterThanOrEqual(-1)
  expect(Math.max(...late)).toBeLessThan(500)
  await eventually(() => log.append(TOPIC, { key: 'k', value: '-1' }), { within: 30_000 })
  console.log(`answers came ${Math.min(...late)} to ${Math.max(...late)} ms after their deadlines`)
})

test('given brokers that are all unavailable, appends end in time, and log and consumer recover by themselves', {
  timeout: 4 * MINUTE,
}, async () => {
  const taken = new Set<string>()
  const errors: Error[] = []
  await log.consume(
    {
      topic: TOPIC,
      group: 'watcher',
      initialOffset: 'earliest',
      maxRecords: 500,
      onError: (error) => errors.push(error),
    },
    async (records) => {
      for (const { value } of records) taken.add(String(value))
    },
  )
  await log.append(TOPIC, { key: 'away', value: 'before' })
  await expect.poll(() => taken.has('before'), { timeout: 20_000 }).toBe(true)

  await Promise.all(BROKERS.map((n) => services.broker(n).kill()))
  const began = Date.now()
  const ends = await Promise.allSettled(
    Array.from({ length: 50 }, (_, number) => log.append(TOPIC, { key: `key-${number}`, value: `away ${number}` })),
  )
  expect(Date.now() - began).toBeLessThan(2500)
  for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: { name: 'Unavailable' } })
  await expect(log.lag(TOPIC, 'watcher')).rejects.toBeInstanceOf(Unavailable)
  await expect(readAll(log, TOPIC)).rejects.toBeInstanceOf(Unavailable)
  await expect(log.ping()).rejects.toBeInstanceOf(Unavailable)

  await Promise.all(BROKERS.map((n) => services.broker(n).start()))
  await eventually(() => log.append(TOPIC, { key: 'away', value: 'after' }), { within: MINUTE })
  await expect.poll(() => taken.has('after'), { timeout: MINUTE }).toBe(true)
  await log.ping()
})
