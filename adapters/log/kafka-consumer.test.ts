import kafkajs, { type EachBatchHandler, type Kafka } from 'kafkajs'
import { expect, test } from 'vitest'
import type { LogRecord } from '#core/log.ts'
import { manualClock } from '#test/clock.ts'
import { joinGroup } from './kafka-consumer.ts'

const NOT_COORDINATOR = new kafkajs.KafkaJSProtocolError({
  ...new Error('This is not the correct coordinator for this group'),
  type: 'NOT_COORDINATOR_FOR_GROUP',
  code: 16,
  retriable: true,
} as never)

/**
 * A group as kafkajs shows it. Each member gets all partitions, reads on from what is committed, and may be stuck: its heartbeats are
 * well, and its commits go to a broker that does not coordinate the group any more.
 */
function group(records: number, stuck: (member: number) => boolean) {
  let members = 0
  let committed = 0
  const joined: number[] = []
  const gone: number[] = []
  function consumer() {
    const member = ++members
    const listeners = new Map<string, (event: { payload: unknown }) => void>()
    const events = { CRASH: 'crash', GROUP_JOIN: 'join' }
    return {
      events,
      on: (name: string, listener: (event: { payload: unknown }) => void) => void listeners.set(name, listener),
      connect: async () => undefined,
      subscribe: async () => undefined,
      async run({ eachBatch }: { eachBatch: EachBatchHandler }) {
        joined.push(member)
        listeners.get('join')?.({ payload: { memberAssignment: { topic: [0] } } })
        const messages = Array.from({ length: records - committed }, (_, index) => ({
          offset: String(committed + index),
          timestamp: '0',
          key: null,
          value: Buffer.from('v'),
        }))
        const batch = { partition: 0, messages, lastOffset: () => String(records - 1) }
        await eachBatch({ batch, pause: () => () => undefined, resolveOffset: () => undefined } as never)
      },
      async commitOffsets([{ offset }]: [{ offset: string }]) {
        if (stuck(member)) throw NOT_COORDINATOR
        committed = Number(offset)
      },
      async disconnect() {
        gone.push(member)
        listeners.get('join')?.({ payload: { memberAssignment: { topic: [] } } })
      },
    }
  }
  return { kafka: { consumer } as unknown as Kafka, joined, gone, committed: () => committed }
}

async function given(stuck: (member: number) => boolean) {
  const clock = manualClock()
  const { kafka, ...seen } = group(10, stuck)
  const taken: number[] = []
  const errors: string[] = []
  const options = { topic: 'topic', group: 'group', initialOffset: 'earliest', maxRecords: 100 } as const
  const take = async (records: LogRecord[]) => void taken.push(...records.map(({ offset }) => offset))
  const onError = (error: Error) => errors.push(error.message)
  const consumer = await joinGroup(kafka, { ...options, onError }, take, clock)
  await clock.advance(0)
  const commit = (offset: number) =>
    consumer.commit(0, offset).then(
      () => 'done',
      ({ name }) => name,
    )
  return { clock, taken, errors, commit, close: consumer.close, ...seen }
}

test('given commits that keep failing while heartbeats succeed, then a new member takes over and no record is skipped', async () => {
  const { clock, taken, errors, commit, joined, gone, committed, close } = await given((member) => member === 1)
  expect(await commit(5)).toBe('Unavailable')
  await clock.advance(5000)
  expect(await commit(5)).toBe('Unavailable')
  await clock.advance(0)
  expect({ joined, gone }).toEqual({ joined: [1, 2], gone: [1] })
  expect(errors).toEqual(['commits kept failing: the consumer joins its group again'])
  expect(taken).toEqual([...Array(10).keys(), ...Array(10).keys()])
  expect(await commit(10)).toBe('done')
  expect(committed()).toBe(10)
  await close()
})

test('given a commit that fails for a moment, then the member stays', async () => {
  let isStuck = true
  const { clock, commit, joined, close } = await given(() => isStuck)
  for (let second = 0; second < 3; second++) {
    expect(await commit(5)).toBe('Unavailable')
    await clock.advance(1000)
  }
  isStuck = false
  expect(await commit(5)).toBe('done')
  isStuck = true
  await clock.advance(3000)
  expect(await commit(6)).toBe('Unavailable')
  await clock.advance(0)
  expect(joined).toEqual([1])
  await close()
})

test('given that no member can commit, then each gets its time before it is replaced', async () => {
  const { clock, commit, joined, close } = await given(() => true)
  for (let second = 0; second < 60; second++) {
    await commit(5)
    await clock.advance(1000)
  }
  expect(joined.length).toBeGreaterThan(5)
  expect(joined.length).toBeLessThan(16)
  await close()
})
