import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import kafkajs from 'kafkajs'
import { describe, expect, test, vi } from 'vitest'
import type { LogRecord } from '#core/log.ts'
import { Unavailable } from '#core/unavailable.ts'
import { readConfig } from '#main/config.ts'
import { logContract, readAll } from '#test/contracts/log.ts'
import { kafkaLog } from './kafka.ts'

const { KAFKA_BROKERS: brokers } = readConfig(process.env)

logContract('kafka', async () => {
  const made: string[] = []
  return {
    open({ maxBuffered } = { maxBuffered: 10_000 }) {
      const log = kafkaLog({ brokers, replication: 3, maxBuffered, answerWithinMs: 20_000 })
      return {
        ...log,
        async ensure(topics) {
          made.push(...topics.map(({ name }) => name))
          await log.ensure(topics)
        },
      }
    },
    remove: () => removeTopics([...new Set(made)]),
  }
})

async function withAdmin<Result>(call: (admin: kafkajs.Admin) => Promise<Result>): Promise<Result> {
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  return await call(admin).finally(() => admin.disconnect())
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** The memory that is in use after garbage collections. The first one finds buffers, which are freed a little later. */
async function usedMiB(): Promise<number> {
  for (let pass = 0; pass < 2; pass++) {
    collectGarbage()
    await sleep(500)
  }
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1024 / 1024
}

const removeTopics = (topics: string[]) => withAdmin((admin) => admin.deleteTopics({ topics }))

describe('kafka log', () => {
  test('given offsets that an admin set to earliest or latest, then the lag is right', async () => {
    const topic = `lag-${crypto.randomUUID()}`
    const log = kafkaLog({ brokers, replication: 3, maxBuffered: 10, answerWithinMs: 20_000 })
    await log.ensure([{ name: topic, partitions: 1 }])
    for (const value of ['a', 'b']) await log.append(topic, { key: 'k', value })
    await withAdmin((admin) => admin.resetOffsets({ groupId: topic, topic, earliest: true }))
    expect(await log.lag(topic, topic)).toEqual(new Map([[0, 2]]))
    await log.close()
    await removeTopics([topic])
  })

  test('given no append and nothing to consume, then its connections set few timers', async () => {
    const topic = `idle-${crypto.randomUUID()}`
    const log = kafkaLog({ brokers, replication: 3, maxBuffered: 10, answerWithinMs: 20_000 })
    await log.ensure([{ name: topic, partitions: 3 }])
    await log.append(topic, { key: 'k', value: 'v' })
    const timers = vi.spyOn(globalThis, 'setTimeout')
    await sleep(1000)
    expect(timers.mock.calls.length).toBeLessThan(20)
    timers.mockRestore()
    await log.close()
    await removeTopics([topic])
  })

  test('given a backlog, then a consumer holds a small part of it, and nothing after it', {
    timeout: 120_000,
  }, async () => {
    const topic = `memory-${crypto.randomUUID()}`
    const [partitions, count] = [3, 30_000]
    const writer = kafkaLog({ brokers, replication: 3, maxBuffered: count, answerWithinMs: 60_000 })
    await writer.ensure([{ name: topic, partitions }])
    const value = 'v'.repeat(1000)
    for (let sent = 0; sent < count; sent += 2000) {
      await Promise.all(Array.from({ length: 2000 }, () => writer.append(topic, { key: null, value })))
    }
    await writer.close()
    const log = kafkaLog({ brokers, replication: 3, maxBuffered: 10 })
    await log.ping()
    const before = await usedMiB()
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const begun = new Set<number>()
    let taken = 0
    const consumer = await log.consume(
      { topic, group: topic, initialOffset: 'earliest', maxRecords: 50 },
      async (records) => {
        begun.add((records[0] as LogRecord).partition)
        await released
        taken += records.length
      },
    )
    await vi.waitFor(() => expect(begun.size).toBe(partitions), { timeout: 30_000 })
    await sleep(2000)
    const during = await usedMiB()
    release()
    await vi.waitFor(() => expect(taken).toBe(count), { timeout: 60_000 })
    const after = await usedMiB()
    expect(during - after, 'MiB of a backlog of 29 while its first records are taken').toBeLessThan(8)
    expect(after - before, 'MiB that remain').toBeLessThan(2)
    await consumer.close()
    await log.close()
    await removeTopics([topic])
  })

  test('given a take that lasts longer than a session, then the member keeps its partitions, and others on its broker continue', async () => {
    const topic = `long-${crypto.randomUUID()}`
    const log = kafkaLog({ brokers, replication: 3, maxBuffered: 1000, answerWithinMs: 20_000 })
    await log.ensure([{ name: topic, partitions: 6 }])
    await Promise.all(Array.from({ length: 300 }, () => log.append(topic, { key: null, value: 'v' })))
    const { promise: stuck, resolve: release } = Promise.withResolvers<void>()
    const errors: Error[] = []
    const counts = new Map<number, number>()
    const consumer = await log.consume(
      { topic, group: topic, initialOffset: 'earliest', maxRecords: 50, onError: (error) => errors.push(error) },
      async (records) => {
        const [{ partition }] = records as [LogRecord]
        counts.set(partition, (counts.get(partition) ?? 0) + records.length)
        if (partition === 0) await stuck
      },
    )
    const each = (count: number) => [0, 1, 2, 3, 4, 5].map((partition) => [partition, count])
    const taken = () => [...counts].toSorted(([a], [b]) => a - b)
    await expect.poll(taken, { timeout: 20_000 }).toEqual(each(50))
    await sleep(12_000)
    await Promise.all(Array.from({ length: 300 }, () => log.append(topic, { key: null, value: 'v' })))
    const others = each(100).slice(1)
    await expect.poll(() => taken().slice(1), { timeout: 5000 }).toEqual(others)
    await consumer.commit(0, 50)
    release()
    await expect.poll(taken, { timeout: 5000 }).toEqual(each(100))
    expect(errors).toEqual([])
    await log.close()
    await removeTopics([topic])
  })

  test('given another member that joins, then commits of a partition that moved to it are rejected', async () => {
    const topic = `shared-${crypto.randomUUID()}`
    const log = kafkaLog({ brokers, replication: 3, maxBuffered: 1000, answerWithinMs: 20_000 })
    await log.ensure([{ name: topic, partitions: 6 }])
    await Promise.all(Array.from({ length: 60 }, () => log.append(topic, { key: null, value: 'v' })))
    const options = { topic, group: topic, initialOffset: 'earliest', maxRecords: 50 } as const
    const [mine, theirs] = [new Set<number>(), new Set<number>()]
    const note = (seen: Set<number>) => async (records: LogRecord[]) => {
      for (const { partition } of records) seen.add(partition)
    }
    const consumer = await log.consume(options, note(mine))
    await expect.poll(() => mine.size, { timeout: 20_000 }).toBe(6)
    await log.consume(options, note(theirs))
    await expect.poll(() => theirs.size, { timeout: 20_000 }).toBe(3)
    const ends = await Promise.allSettled([...mine].map((partition) => consumer.commit(partition, 10)))
    const refused = [...mine].filter((_, index) => ends[index]?.status === 'rejected')
    expect(new Set(refused)).toEqual(theirs)
    await log.close()
    await removeTopics([topic])
  })

  test('given connections that break while lanes linger, then each acknowledged record is there once, at its offset', async () => {
    const topic = `broken-${crypto.randomUUID()}`
    const sockets = new Set<Socket>()
    const onSocket = (message: unknown) => void sockets.add((message as { socket: Socket }).socket)
    subscribe('net.client.socket', onSocket)
    const sizes: number[] = []
    const log = kafkaLog({
      brokers,
      replication: 3,
      maxBuffered: 1000,
      metrics: { batchSize: (_name, _topic, size) => sizes.push(size) },
    })
    await log.ensure([{ name: topic, partitions: 3 }])
    const acknowledged = new Map<string, string>()
    let count = 0
    let broken = 0
    let isStopped = false
    const client = async () => {
      while (!isStopped) {
        const value = String(count++)
        try {
          const { partition, offset } = await log.append(topic, { key: value, value })
          acknowledged.set(value, `${partition}/${offset}`)
        } catch (error) {
          expect(error).toBeInstanceOf(Unavailable)
        }
      }
    }
    const clients = Promise.all(Array.from({ length: 128 }, client))
    for (let round = 0; round < 12; round++) {
      await sleep(100 + 40 * round)
      for (const socket of sockets) socket.destroy(new Error('reset by the test'))
      broken += sockets.size
      sockets.clear()
    }
    await sleep(500)
    isStopped = true
    await clients
    unsubscribe('net.client.socket', onSocket)

    const found = await readAll(log, topic)
    const placeOf = new Map(found.map(({ partition, offset, value }) => [String(value), `${partition}/${offset}`]))
    expect(placeOf.size, 'records that are there twice').toBe(found.length)
    expect([...acknowledged].filter(([value, place]) => placeOf.get(value) !== place)).toEqual([])
    expect(acknowledged.size).toBeGreaterThan(1000)
    expect(broken, 'connections that broke').toBeGreaterThan(20)
    expect(sizes.filter((size) => size >= 4).length, 'busy sends').toBeGreaterThan(10)
    await log.close()
    await removeTopics([topic])
  })

  test('given no broker, then appends are refused within two seconds', async () => {
    const nowhere = kafkaLog({ brokers: ['127.0.0.1:1'], replication: 3, maxBuffered: 10 })
    const before = Date.now()
    const refused = { name: 'Unavailable', what: 'log', mayBeWritten: false }
    await expect(nowhere.append('topic', { key: 'k', value: 'v' })).rejects.toMatchObject(refused)
    expect(Date.now() - before).toBeLessThan(2000)
    await expect(nowhere.ping()).rejects.toBeInstanceOf(Unavailable)
    const options = { topic: 'topic', group: 'group', initialOffset: 'earliest', maxRecords: 1 } as const
    await expect(nowhere.consume(options, async () => {})).rejects.toBeInstanceOf(Unavailable)
    await expect(nowhere.lag('topic', 'group')).rejects.toBeInstanceOf(Unavailable)
    await nowhere.close()
  })

  test('given a broker that accepts connections and does not respond for a while, then "Broker not connected" is an outage that passes', async () => {
    const door = await silentDoor()
    const log = kafkaLog({ brokers: [door.address], replication: 3, maxBuffered: 10 })
    const seen: unknown[] = []
    for (const call of [() => log.ping(), () => log.append('topic', { key: 'k', value: 'v' })]) {
      await expect(call().catch((error) => Promise.reject(seen.push(error) && error))).rejects.toMatchObject({
        name: 'Unavailable',
        mayBeWritten: false,
      })
    }
    expect(seen.map((error) => (error as Error).message)).toContain('log: Broker not connected')
    door.opens()
    await expect.poll(() => log.ping().then(() => 'well', String), { timeout: 10_000 }).toBe('well')
    await log.close()
    await door.close()
  })
})

/** In front of a broker: connections are taken, and only once it opens is anything passed on. */
async function silentDoor() {
  const [host = '', port] = (brokers[0] ?? '').split(':')
  const sockets = new Set<Socket>()
  let isOpen = false
  const server = createServer((client) => {
    sockets.add(client)
    client.on('error', () => client.destroy())
    if (!isOpen) return
    const broker = connect(Number(port), host)
    sockets.add(broker)
    broker.on('error', () => client.destroy())
    client.pipe(broker).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: own } = server.address() as { port: number }
  return {
    address: `127.0.0.1:${own}`,
    opens() {
      isOpen = true
      for (const socket of sockets) socket.destroy()
    },
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
