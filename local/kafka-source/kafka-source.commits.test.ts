import { describe, expect, test } from 'vitest'
import type { LogRecord } from '#core/log.ts'
import type { Reply } from '#test/receiver.ts'
import {
  A,
  append,
  B,
  eventually,
  expectLag,
  gate,
  log,
  namesOf,
  newTopic,
  passing,
  receiving,
  starting,
} from '#test/sources.ts'
import type { KafkaSourceParts } from './kafka-source.ts'

describe('commits', () => {
  test('every 5 s, after delivery: later records are delivered again after a crash', async () => {
    const topic = await newTopic()
    await append(topic, A, 10)
    const server = await receiving(() => 204)
    const commits: number[] = []
    const noting: KafkaSourceParts['log'] = {
      async consume(options, take) {
        const consumer = await log.consume(options, take)
        const commit = (partition: number, offset: number) => {
          commits.push(offset)
          return consumer.commit(partition, offset)
        }
        return { ...consumer, commit }
      },
    }
    const { clock, outcomes } = await starting(topic, server.url, {}, { log: noting })
    await eventually(() => expect(outcomes).toHaveLength(10))
    await clock.advance(4999)
    expect(commits).toEqual([])
    await clock.advance(1)
    expect(commits).toEqual([10])
    await expectLag(topic, 0)
    await append(topic, B, 5)
    await eventually(() => expect(outcomes).toHaveLength(15))
    const afterCrash = await receiving(() => 204)
    await starting(topic, afterCrash.url)
    await eventually(() => expect(namesOf(afterCrash).sort()).toEqual(namesOf(server).slice(10).sort()))
  })

  test('only the offset before which every record is finished', async () => {
    const topic = await newTopic()
    const names = await append(topic, A, 10)
    const answers = gate()
    const server = await receiving((name) => (name === names[4] ? answers.hold(name) : 204))
    const { clock, outcomes } = await starting(topic, server.url)
    await eventually(() => expect(outcomes).toHaveLength(9))
    await clock.advance(5000)
    await expectLag(topic, 6)
    answers.releaseAll()
    await eventually(() => expect(outcomes).toHaveLength(10))
    await clock.advance(5000)
    await expectLag(topic, 0)
  })

  test('given a commit that failed, then the next one commits the same offset', async () => {
    const topic = await newTopic()
    await append(topic, A, 3)
    const server = await receiving(() => 204)
    let failures = 0
    const failingOnce: KafkaSourceParts['log'] = {
      async consume(options, take) {
        const consumer = await log.consume(options, take)
        const commit = async (partition: number, offset: number) => {
          if (failures++ === 0) throw new Error('the broker is away')
          await consumer.commit(partition, offset)
        }
        return { ...consumer, commit }
      },
    }
    const { clock, outcomes, logged } = await starting(topic, server.url, {}, { log: failingOnce })
    await eventually(() => expect(outcomes).toHaveLength(3))
    await clock.advance(5000)
    expect(logged).toEqual(['warn: the offset is not committed'])
    await clock.advance(5000)
    await expectLag(topic, 0)
  })

  test('given a partition that is lost and read again, then records of the first reading do not count', async () => {
    const answers = gate()
    const server = await receiving((_, __, index) => answers.hold(String(index)))
    const committed: number[] = []
    let take: (records: LogRecord[]) => Promise<void> = async () => {}
    const rereading: KafkaSourceParts['log'] = {
      async consume(_, taking) {
        take = taking
        return { commit: async (_, offset) => void committed.push(offset), close: async () => {} }
      },
    }
    const { clock, outcomes } = await starting('any', server.url, { maxInFlight: 1 }, { log: rereading })
    const records = ['x', 'y', 'z'].map((value, offset) => ({
      ...{ partition: 0, offset, time: 0, key: null, headers: [] },
      value: Buffer.from(value),
    }))
    const before = take(records)
    await eventually(() => expect(server.waiting()).toBe(1))
    const again = take(records)
    for (let n = 0; n < 4; n++) {
      await eventually(() => expect(answers.held()).toEqual([String(n)]))
      answers.releaseAll()
      await eventually(() => expect(outcomes).toHaveLength(n + 1))
      await clock.advance(5000)
    }
    await Promise.all([before, again])
    expect(namesOf(server)).toEqual(['x', 'x', 'y', 'z'])
    expect(committed.at(-1)).toBe(3)
    expect(committed).toEqual(committed.toSorted())
  })

  test('retries are counted in memory: a restart starts the count again', async () => {
    const topic = await newTopic()
    await append(topic, A, 1)
    const server = await receiving(() => 500)
    const delivery = { retry: 3, backoffPolicy: 'linear', backoffDelay: 'PT1S' } as const
    const first = await starting(topic, server.url, { delivery })
    await passing(first.clock, () => expect(server.received).toHaveLength(3))
    await first.source.close()
    expect(first.outcomes).toEqual(['stopped'])
    const second = await starting(topic, server.url, { delivery })
    await passing(second.clock, () => expect(second.outcomes).toEqual(['lost']))
    expect(server.received).toHaveLength(3 + 4)
  })
})

describe('closing', () => {
  test('takes no more records, lets requests in flight end, commits', async () => {
    const topic = await newTopic()
    await append(topic, A, 3)
    const answers = gate()
    const server = await receiving(answers.hold)
    const { source } = await starting(topic, server.url, { ordering: 'ordered' })
    await eventually(() => expect(server.waiting()).toBe(1))
    const closed = source.close()
    answers.releaseAll()
    await closed
    expect(server.received).toHaveLength(1)
    await expectLag(topic, 2)
  })

  test('given a response that never comes, then the request is aborted after 10 s and the next start delivers it again', async () => {
    const topic = await newTopic()
    const names = await append(topic, A, 150)
    let isSilent = true
    const server = await receiving(() => (isSilent ? new Promise<Reply>(() => {}) : 204))
    const { source, clock, outcomes } = await starting(topic, server.url, { delivery: { retry: 1000 } })
    await eventually(() => expect(server.waiting()).toBe(100))
    const closed = source.close()
    await clock.advance(10_000)
    await closed
    expect(new Set(outcomes)).toEqual(new Set(['stopped']))
    expect(clock.sleepers()).toBe(0)
    isSilent = false
    await starting(topic, server.url)
    await eventually(() => expect(namesOf(server).slice(100).sort()).toEqual(names.toSorted()))
  })
})
