import { describe, expect, test } from 'vitest'
import { Unavailable } from '#core/unavailable.ts'
import { manualClock } from '#test/clock.ts'
import { type LaneOptions, lane } from './lane.ts'

const WITHIN = 1800
const turn = () => new Promise((resolve) => setImmediate(resolve))

class Outage extends Error {}
class Fault extends Error {}

/**
 * A partition on a hostile broker. `fate` says what happens to each send: it may fail before or after it was written, or
 * stay without an answer. As with an idempotent producer, the identical batch is written once.
 */
function partition(fate: (attempt: number, items: string[]) => 'ok' | 'fails' | 'written, fails' | 'never') {
  const written: string[] = []
  const sends: string[][] = []
  let last = { batch: '', offset: 0 }
  let inFlight = 0
  let answer = () => {}
  const write = (items: string[]) => {
    const batch = items.join()
    if (batch !== last.batch) last = { batch, offset: written.push(...items) - items.length }
    return last.offset
  }
  return {
    written,
    sends,
    /** Ends a send that never had an answer. */
    answer: () => answer(),
    async send(items: string[]) {
      expect(++inFlight, 'sends in flight').toBe(1)
      sends.push(items)
      const what = fate(sends.length, items)
      try {
        if (what === 'never') {
          await new Promise<void>((resolve) => {
            answer = resolve
          })
        }
        await turn()
        if (items.some((item) => item.startsWith('bad'))) throw new Fault('a bad item')
        if (what === 'fails') throw new Outage('no broker')
        const offset = write(items)
        if (what === 'written, fails') throw new Outage('the connection broke')
        return offset
      } finally {
        inFlight--
      }
    },
  }
}

function given(fate: Parameters<typeof partition>[0] = () => 'ok', options: Partial<LaneOptions<string>> = {}) {
  const clock = manualClock()
  const broker = partition(fate)
  const made = lane<string>({
    send: broker.send,
    bytesOf: (item) => item.length,
    maxBytes: 100,
    isTheirFault: (error) => error instanceof Fault,
    clock,
    ...options,
  })
  return { ...made, clock, broker, add: (item: string) => made.append(item, clock.now() + WITHIN) }
}

/** How it ended, without waiting for it. */
function ending(promise: Promise<number>) {
  const end: { offset?: number; error?: unknown } = {}
  promise.then(
    (offset) => (end.offset = offset),
    (error) => (end.error = error),
  )
  return end
}

const mayBeWritten = ({ error }: { error?: unknown }) => (error as Unavailable | undefined)?.mayBeWritten

describe('a lane', () => {
  test('given a send in flight, then items that arrive meanwhile go out together in the next one', async () => {
    const { add, broker, clock } = given((attempt) => (attempt === 1 ? 'never' : 'ok'))
    const first = add('a')
    await clock.advance(0)
    const rest = [add('b'), add('c'), add('d')]
    await clock.advance(0)
    expect(broker.sends).toEqual([['a']])
    broker.answer()
    expect(await Promise.all([first, ...rest])).toEqual([0, 1, 2, 3])
    expect(broker.sends).toEqual([['a'], ['b', 'c', 'd']])
  })

  test('given more bytes than a send may have, then the items are split in order, and one over the limit goes alone', async () => {
    const { add, broker } = given()
    const items = ['a'.repeat(60), 'b'.repeat(40), 'c'.repeat(1), 'd'.repeat(200), 'e']
    expect(await Promise.all(items.map(add))).toEqual([0, 1, 2, 3, 4])
    expect(broker.sends.map((send) => send.map(([first]) => first).join(''))).toEqual(['ab', 'c', 'd', 'e'])
  })

  test('given a send that fails after it was written, then the identical batch is repeated and nothing is duplicated', async () => {
    const { add, broker, clock } = given((attempt) => (attempt <= 3 ? 'written, fails' : 'ok'))
    const ends = ['a', 'b'].map((item) => ending(add(item)))
    await clock.advance(60)
    ends.push(ending(add('c')))
    await clock.advance(1000)
    expect(broker.sends).toEqual([...Array(4).fill(['a', 'b']), ['c']])
    expect(broker.written).toEqual(['a', 'b', 'c'])
    expect(ends.map(({ offset }) => offset)).toEqual([0, 1, 2])
  })

  test('given unavailable brokers, then repeats are at most a second apart', async () => {
    const { add, broker, clock } = given(() => 'fails')
    ending(add('a'))
    await clock.advance(60_000)
    expect(broker.sends.length).toBeGreaterThan(60)
    expect(broker.sends.length).toBeLessThan(140)
  })

  test('given no response in time, then the outcome of sent items is unknown, and waiting items fail and are never sent', async () => {
    const { add, broker, clock } = given((attempt) => (attempt === 1 ? 'never' : 'ok'))
    const sent = ending(add('sent'))
    await clock.advance(100)
    const queued = ending(add('queued'))
    await clock.advance(WITHIN - 101)
    expect([sent.error, queued.error]).toEqual([undefined, undefined])
    await clock.advance(1)
    expect(sent.error).toBeInstanceOf(Unavailable)
    expect(mayBeWritten(sent)).toBe(true)
    expect(queued.error).toBeUndefined()
    await clock.advance(100)
    expect(queued.error).toBeInstanceOf(Unavailable)
    expect(mayBeWritten(queued)).toBe(false)
    const later = ending(add('later'))
    broker.answer()
    await clock.advance(100)
    expect(broker.written).toEqual(['sent', 'later'])
    expect(later.offset).toBe(1)
  })

  test('given an earlier deadline behind a later one, then each item is settled by its own', async () => {
    const { append, broker, clock } = given(() => 'never')
    const end = (item: string, inMs: number) => ending(append(item, clock.now() + inMs))
    const sent = end('sent', 1500)
    await clock.advance(0)
    const [late, early] = [end('late', 1000), end('early', 200)]
    await clock.advance(200)
    expect([mayBeWritten(sent), mayBeWritten(late), mayBeWritten(early)]).toEqual([undefined, undefined, false])
    await clock.advance(800)
    expect([mayBeWritten(sent), mayBeWritten(late)]).toEqual([undefined, false])
    await clock.advance(500)
    expect(mayBeWritten(sent)).toBe(true)
    broker.answer()
    await clock.advance(0)
    expect(broker.written).toEqual(['sent'])
  })

  test('given an outage that lasts longer than its callers wait, then the batch is settled before later items', async () => {
    let isAway = true
    const { add, broker, clock } = given(() => (isAway ? 'written, fails' : 'ok'))
    const unknown = ending(add('unknown'))
    await clock.advance(5000)
    expect(mayBeWritten(unknown)).toBe(true)
    const later = ending(add('later'))
    await clock.advance(100)
    isAway = false
    await clock.advance(1500)
    expect(new Set(broker.sends.slice(0, -1).flat())).toEqual(new Set(['unknown']))
    expect(broker.written).toEqual(['unknown', 'later'])
    expect(later.offset).toBe(1)
  })

  test('given an item that can not be written, then it fails alone with its own error', async () => {
    const { add, broker, clock } = given()
    const ends = ['a', 'b', 'bad', 'c', 'd', 'e', 'bad too'].map((item) => ending(add(item)))
    await clock.advance(0)
    for (let turns = 0; turns < 20; turns++) await turn()
    expect(broker.written).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(ends.map(({ offset }) => offset)).toEqual([0, 1, undefined, 2, 3, 4, undefined])
    expect(ends[2]?.error).toBeInstanceOf(Fault)
    expect(ends[6]?.error).toBeInstanceOf(Fault)
  })

  test('given 2,000 items and a broker that fails at random, then all are written once and in order', async () => {
    const random = numbers(7)
    const fates = ['fails', 'written, fails'] as const
    const { add, broker, clock } = given(() => fates[Math.floor(random() * 8)] ?? 'ok')
    const items = Array.from({ length: 2000 }, (_, number) => String(number))
    const ends: ReturnType<typeof ending>[] = []
    for (const item of items) {
      ends.push(ending(add(item)))
      if (random() < 0.1) await clock.advance(50)
    }
    await clock.advance(60_000)
    const isThere = (index: number) => ends[index]?.offset !== undefined || mayBeWritten(ends[index] ?? {})
    expect(ends.filter(({ offset }) => offset !== undefined).length).toBeGreaterThan(1500)
    expect(broker.written).toEqual(items.filter((_, index) => isThere(index)))
    for (const [index, { offset }] of ends.entries())
      if (offset !== undefined) expect(broker.written[offset]).toBe(items[index])
  })

  test('given a close, then it waits until every append is settled, not for the timer', async () => {
    const { add, broker, clock, close } = given((attempt) => (attempt === 1 ? 'never' : 'ok'))
    const end = ending(add('a'))
    await clock.advance(0)
    let isClosed = false
    const closing = close().then(() => {
      isClosed = true
    })
    await turn()
    expect(isClosed).toBe(false)
    broker.answer()
    await closing
    expect(end.offset).toBe(0)
    expect(clock.sleepers()).toBe(0)
  })

  test('given a close while the brokers are unavailable, then it gives up once every append is settled', async () => {
    const { add, broker, clock, close } = given(() => 'fails')
    const end = ending(add('a'))
    await clock.advance(0)
    const closing = close()
    await clock.advance(WITHIN)
    await closing
    expect(mayBeWritten(end)).toBe(true)
    await clock.advance(0)
    const { length } = broker.sends
    await clock.advance(10_000)
    expect(broker.sends.length).toBe(length)
    expect(clock.sleepers()).toBe(0)
  })
})

/** The same numbers in every run. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
