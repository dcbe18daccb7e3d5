import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Inserted, ResumeLost, type WatchOptions } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import { eventually } from '#test/mill.ts'
import { quiet } from '#test/telemetry.ts'
import { feedsOf } from './feeds.ts'

const notes = { name: 'notes', indexes: {} }
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await setImmediate()
}

interface Watch {
  from: number | undefined
  isOpen: boolean
  /** Gives this many of the inserts that exist. */
  give(count: number): Promise<void>
  fail(error: Error): Promise<void>
}

/**
 * A collection of `length` inserts, at positions 1 to `length`. The test says how many the shared watch gives. A read of a group
 * that is behind gives all of them, one in each turn of the event loop.
 */
function begin(length = 0) {
  const watches: Watch[] = []
  const log = { length }
  /** The reads of the store, with their first position and the number of inserts that they gave. */
  const reads: { from: number; given: number; isOpen: boolean }[] = []
  const at = (number: number): Inserted => ({ document: { _id: `n-${number}` }, resume: String(number) })

  async function* read(resume: string, signal: AbortSignal): AsyncGenerator<Inserted> {
    const opened = { from: Number(resume), given: 0, isOpen: true }
    reads.push(opened)
    try {
      await setImmediate()
      if (opened.from > log.length) throw new ResumeLost(`no place ${resume}`)
      for (let number = opened.from + 1; number <= log.length && !signal.aborted; number++) {
        opened.given++
        yield at(number)
        await setImmediate()
      }
    } finally {
      opened.isOpen = false
    }
  }

  async function* watch(_: unknown, { resume, signal, untilNow, onBegun }: WatchOptions): AsyncGenerator<Inserted> {
    if (resume !== undefined && untilNow) return yield* read(resume, signal)
    let number = log.length
    let news = Promise.withResolvers<void>()
    let left = 0
    const opened: Watch = {
      from: resume === undefined ? undefined : number,
      isOpen: true,
      async give(count) {
        left += count
        news.resolve()
        await settle()
      },
      async fail(error) {
        news.reject(error)
        await settle()
      },
    }
    watches.push(opened)
    signal.addEventListener('abort', () => news.resolve())
    onBegun?.(String(number))
    try {
      while (!signal.aborted) {
        if (left > 0 && number < log.length) {
          left--
          yield at(++number)
          continue
        }
        await news.promise
        news = Promise.withResolvers()
      }
    } finally {
      opened.isOpen = false
    }
  }
  const feeds = feedsOf({ watch }, quiet())
  function join(place?: string, caller = 'ada') {
    const heard: string[] = []
    const listener = {
      begun: (from: string | undefined, isReset: boolean) => heard.push(`${isReset ? 'reset' : 'begun'} ${from}`),
      inserted: ({ resume }: Inserted) => heard.push(resume),
      ended: () => heard.push('ended'),
    }
    const leave = feeds.join(notes, place, listener, caller)
    return { heard, leave }
  }
  const open = () => watches.filter(({ isOpen }) => isOpen)
  const reading = () => reads.filter(({ isOpen }) => isOpen)
  const given = () => reads.reduce((sum, { given }) => sum + given, 0)
  return { log, watches, reads, open, reading, given, join }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => String(from + at))

test('a thousand listeners share one watch, which ends when the last one leaves', async () => {
  const { log, watches, open, join } = begin(7)
  const all = Array.from({ length: 1000 }, () => join())
  await settle()
  log.length = 9
  await watches[0]?.give(2)
  const late = join()
  expect(watches).toHaveLength(1)
  for (const { heard } of all) expect(heard).toEqual(['begun 7', '8', '9'])
  expect(late.heard).toEqual(['begun 9'])
  for (const { leave } of all) leave()
  expect(open()).toHaveLength(1)
  late.leave()
  await settle()
  expect(open()).toHaveLength(0)
})

test('a listener that reconnects with a recent position resumes without a read of the store', async () => {
  const { log, watches, reads, join } = begin(7)
  const [first] = [join()]
  await settle()
  log.length = 10
  await watches[0]?.give(3)
  expect(join('8').heard).toEqual(['9', '10'])
  expect(join('7').heard).toEqual(['8', '9', '10'])
  expect(join('10').heard).toEqual([])
  log.length = 11
  await watches[0]?.give(1)
  expect(first?.heard).toEqual(['begun 7', '8', '9', '10', '11'])
  expect([watches.length, reads.length]).toEqual([1, 0])
})

test('a listener that is further behind reads the store until it meets the shared watch', async () => {
  const { log, watches, reading, join } = begin(20)
  const now = join()
  await settle()
  const behind = join('10')
  const beside = join('10')
  await eventually(async () => expect(behind.heard.at(-1)).toBe('20'))
  await settle()
  expect(reading()).toEqual([])
  log.length = 22
  await watches[0]?.give(2)
  await eventually(async () => expect(beside.heard.at(-1)).toBe('22'))
  expect(watches).toHaveLength(1)
  log.length = 23
  await watches[0]?.give(1)
  expect([behind.heard, beside.heard]).toEqual([numbers(11, 23), numbers(11, 23)])
  expect(now.heard).toEqual(['begun 20', '21', '22', '23'])
})

test('a listener that was behind may get ahead of the shared watch', async () => {
  const { log, watches, join } = begin(20)
  const now = join()
  await settle()
  log.length = 25
  const behind = join('22')
  await eventually(async () => expect(behind.heard).toEqual(numbers(23, 25)))
  for (let given = 0; given < 5; given++) await watches[0]?.give(1)
  log.length = 26
  await watches[0]?.give(1)
  expect(behind.heard).toEqual(numbers(23, 26))
  expect(now.heard).toEqual(['begun 20', ...numbers(21, 26)])
})

test('listeners that are behind get new inserts even if nobody else listens', async () => {
  const { log, watches, join } = begin(20)
  const all = ['3', '7', '12', '20'].map((place) => join(place))
  await eventually(async () => expect(all.map(({ heard }) => heard.length)).toEqual([17, 13, 8, 0]))
  log.length = 21
  await watches[0]?.give(1)
  await eventually(async () => expect(all.map(({ heard }) => heard.at(-1))).toEqual(['21', '21', '21', '21']))
})

test('at most two read the store at once, and one read serves all listeners whose positions it passes', async () => {
  const { log, watches, reads, reading, given, join } = begin(1000)
  const now = join()
  await settle()
  const all = Array.from({ length: 50 }, (_, at) => join(String(at + 1), `caller ${at}`))
  await eventually(async () => {
    expect(reading().length).toBeLessThanOrEqual(2)
    for (const { heard } of all) expect(heard.at(-1)).toBe('1000')
  })
  expect(given()).toBeLessThan(5000)
  expect(reads.length).toBeLessThan(30)
  log.length = 1001
  await watches[0]?.give(1)
  await settle()
  for (const [at, { heard }] of all.entries()) expect(heard).toEqual(numbers(at + 2, 1001))
  expect(now.heard).toEqual(['begun 1000', '1001'])
})

const LONG = 20_000
/** 40 listeners that are far behind, the newest position first, so that no read passes the position of another. */
const greedy = (join: ReturnType<typeof begin>['join'], callerOf: (at: number) => string) =>
  Array.from({ length: 40 }, (_, at) => join(String(8000 - 200 * at), callerOf(at)))

test.each([
  ['one caller', () => 'eve'],
  ['the address that the client has too', () => 'ada'],
  ['forty callers', (at: number) => `eve ${at}`],
])(
  'given 40 clients of %s that are far behind, then a client that is a little behind waits for two turns at most',
  async (_, callerOf) => {
    const { reads, reading, given, join } = begin(LONG)
    const others = greedy(join, callerOf)
    for (const turns of [0, 10, 60]) {
      await eventually(async () => expect(reads.length).toBeGreaterThan(turns))
      const before = given()
      const calm = join(String(LONG - 50), 'ada')
      await eventually(async () => expect(calm.heard).toEqual(numbers(LONG - 49, LONG)), { every: 1 })
      expect(given() - before).toBeLessThan(2 * 2 * 200 + 2 * 50)
      expect(reading().length).toBeLessThanOrEqual(2)
      calm.leave()
    }
    for (const { leave } of others) leave()
  },
)

test('a caller has one read at a time, and the next turn goes to another caller', async () => {
  const { reading, join } = begin(LONG)
  const others = greedy(join, () => 'eve')
  await settle()
  expect(reading()).toHaveLength(1)
  join('1', 'bob')
  join('2', 'cyd')
  expect(reading().map(({ from }) => from)).toEqual([8000, 1])
  for (const { leave } of others) leave()
})

test('a listener that is far behind catches up even while others keep joining', async () => {
  const { join } = begin(2000)
  const far = join('0')
  let isComing = true
  const coming = (async () => {
    for (let at = 1; isComing; at++) {
      const other = join(String(1000 + (at % 900)))
      await settle()
      other.leave()
    }
  })()
  await eventually(async () => expect(far.heard).toEqual(numbers(1, 2000)))
  isComing = false
  await coming
})

test('a listener behind the inserts in memory reads the store', async () => {
  const { log, watches, reads, join } = begin(0)
  join()
  await settle()
  log.length = 2000
  await watches[0]?.give(2000)
  expect(join('1999').heard).toEqual(['2000'])
  const [start, old] = [join('0'), join('3')]
  await eventually(async () => expect([start.heard.length, old.heard.length]).toEqual([2000, 1997]))
  expect(reads[0]?.from).toBe(0)
  expect([start.heard, old.heard]).toEqual([numbers(1, 2000), numbers(4, 2000)])
})

test('a position that the store does not know is a reset, after which nothing is missed', async () => {
  const { log, watches, join } = begin(5)
  const lost = join('99')
  await settle()
  expect(lost.heard).toEqual(['reset 5'])
  log.length = 6
  await watches.at(-1)?.give(1)
  expect(lost.heard).toEqual(['reset 5', '6'])
  const again = join('98')
  await settle()
  expect(again.heard).toEqual(['reset 6'])
})

test('a watch that fails ends all listeners, and a listener that reconnects has a new watch', async () => {
  const { log, watches, join } = begin(5)
  const one = join()
  const behind = join('2')
  await settle()
  await watches[0]?.fail(new Unavailable('store', 'away'))
  expect(one.heard).toEqual(['begun 5', 'ended'])
  expect(behind.heard).toEqual(['3', '4', '5', 'ended'])
  log.length = 6
  const again = join('5')
  await eventually(async () => expect(again.heard).toEqual(['6']))
  expect(watches).toHaveLength(2)
})

test('a listener that leaves gets nothing more, even while it waits for a turn, and the watch ends with the last one', async () => {
  const { open, reading, join } = begin(50)
  const all = ['1', '2', '3', '4'].map((place) => join(place, `caller ${place}`))
  all[3]?.leave()
  all[0]?.leave()
  await eventually(async () => expect(all.map(({ heard }) => heard.length)).toEqual([0, 48, 47, 0]))
  all[1]?.leave()
  all[2]?.leave()
  await settle()
  expect([open(), reading()]).toEqual([[], []])
})
