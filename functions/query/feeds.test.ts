import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Inserted, ResumeLost, type WatchOptions } from '#adapters/store/store.ts'
import { Unavailable } from '#adapters/unavailable.ts'
import { feedsOf } from './feeds.ts'

const notes = { name: 'notes', indexes: {} }
const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await setImmediate()
}

interface Watch {
  from: number | undefined
  isOpen: boolean
  /** As many as are to be given, of those that there are. */
  give(count: number): Promise<void>
  fail(error: Error): Promise<void>
}

/** A collection of `length` inserts, at places 1 to `length`, of which each watch gives as many as the test says. */
function begin(length = 0) {
  const watches: Watch[] = []
  const log = { length }
  async function* watch(_: unknown, { resume, signal, onBegun }: WatchOptions): AsyncGenerator<Inserted> {
    let at = resume === undefined ? log.length : Number(resume)
    let news = Promise.withResolvers<void>()
    let left = 0
    const opened: Watch = {
      from: resume === undefined ? undefined : at,
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
    if (at > log.length) throw new ResumeLost(`no place ${resume}`)
    onBegun?.(String(at))
    try {
      while (!signal.aborted) {
        if (left > 0 && at < log.length) {
          at++
          left--
          yield { document: { _id: `n-${at}` }, resume: String(at) }
          continue
        }
        await news.promise
        news = Promise.withResolvers()
      }
    } finally {
      opened.isOpen = false
    }
  }
  const feeds = feedsOf({ watch })
  function join(place?: string) {
    const heard: string[] = []
    const leave = feeds.join(notes, place, {
      begun: (from, isReset) => heard.push(`${isReset ? 'reset' : 'begun'} ${from}`),
      inserted: ({ resume }) => heard.push(resume),
      ended: () => heard.push('ended'),
    })
    return { heard, leave }
  }
  const open = () => watches.filter(({ isOpen }) => isOpen)
  return { log, watches, open, join }
}

test('a thousand who listen have one watch, and it ends when the last one leaves', async () => {
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

test('who comes again with a recent place goes on from there without a watch of its own', async () => {
  const { log, watches, join } = begin(7)
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
  expect(watches).toHaveLength(1)
})

test('who is further behind has a watch of its own until it meets the other one, whichever is first', async () => {
  const { log, watches, open, join } = begin(20)
  const now = join()
  await settle()
  const behind = join('10')
  const beside = join('10')
  await settle()
  expect(watches.map(({ from }) => from)).toEqual([undefined, 10])
  log.length = 22
  await watches[0]?.give(2)
  await watches[1]?.give(8)
  expect(behind.heard).toEqual(['11', '12', '13', '14', '15', '16', '17', '18'])
  await watches[1]?.give(99)
  expect(open()).toEqual([watches[0]])
  log.length = 23
  await watches[0]?.give(1)
  const expected = Array.from({ length: 13 }, (_, at) => String(11 + at))
  expect([behind.heard, beside.heard]).toEqual([expected, expected])
  expect(now.heard).toEqual(['begun 20', '21', '22', '23'])
})

test('who is further behind may also come to be ahead', async () => {
  const { log, watches, open, join } = begin(20)
  const [now, behind] = [join(), join('18')]
  await settle()
  log.length = 25
  await watches[1]?.give(7)
  expect(behind.heard.at(-1)).toBe('25')
  await watches[0]?.give(1)
  await settle()
  expect(open()).toEqual([watches[1]])
  expect(now.heard).toEqual(['begun 20', '21', '22', '23', '24', '25'])
  expect(join().heard).toEqual(['begun 25'])
})

test('few have a watch from further back at a time; others wait until it passes their place, or for their turn', async () => {
  const { log, watches, open, join } = begin(100)
  const now = join()
  await settle()
  const all = Array.from({ length: 50 }, (_, at) => join(String(at + 1)))
  await settle()
  expect(open()).toHaveLength(3)
  await watches[1]?.give(60)
  log.length = 101
  await watches[0]?.give(1)
  for (let round = 0; open().length > 1; round++) {
    expect(open().length).toBeLessThanOrEqual(3)
    expect(round).toBeLessThan(10)
    for (const watch of open()) await watch.give(200)
  }
  expect(watches.length).toBeLessThan(8)
  for (const [at, { heard }] of all.entries()) {
    expect(heard).toEqual(Array.from({ length: 100 - at }, (_, more) => String(at + 2 + more)))
  }
  expect(now.heard).toEqual(['begun 100', '101'])
})

test('what is forgotten here is asked of the store', async () => {
  const { log, watches, join } = begin(0)
  join()
  await settle()
  log.length = 2000
  await watches[0]?.give(2000)
  expect(join('1999').heard).toEqual(['2000'])
  const [start, old] = [join('0'), join('3')]
  await settle()
  expect(watches.map(({ from }) => from)).toEqual([undefined, 0, 3])
  await watches[1]?.give(2000)
  await watches[2]?.give(2000)
  expect([start.heard.length, old.heard.length]).toEqual([2000, 1997])
})

test('a place that the store does not know is told as a reset, from which on nothing is missed', async () => {
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

test('a watch that breaks off ends those who listen, and who comes again has a new one', async () => {
  const { log, watches, join } = begin(5)
  const one = join()
  await settle()
  await watches[0]?.fail(new Unavailable('store', 'away'))
  expect(one.heard).toEqual(['begun 5', 'ended'])
  log.length = 6
  const again = join('5')
  await settle()
  await watches[1]?.give(1)
  expect(again.heard).toEqual(['6'])
})

test('who leaves hears nothing more, also while it waits for its turn', async () => {
  const { watches, join } = begin(50)
  const all = ['1', '2', '3', '4'].map((place) => join(place))
  await settle()
  all[3]?.leave()
  all[0]?.leave()
  await settle()
  expect(watches.map(({ from }) => from)).toEqual([1, 2, 3])
  for (const watch of watches) await watch.give(99)
  expect(all.map(({ heard }) => heard.length)).toEqual([0, 48, 47, 0])
})
