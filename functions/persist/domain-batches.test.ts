import { describe, expect, test } from 'vitest'
import { manualClock } from '#test/clock.ts'
import { domainTurns } from './domain-batches.ts'

const SECOND = 1000

describe('domain turns', () => {
  test('one works at a time, in the order in which they asked, whatever becomes of the others', async () => {
    const clock = manualClock(0)
    const { take } = domainTurns(clock)
    const seen: string[] = []
    let working = 0
    const work = (name: string) => async () => {
      expect(++working).toBe(1)
      await clock.sleep(50)
      seen.push(name)
      working--
      if (name === 'b') throw new Error('b failed')
      return name
    }
    const ends = Promise.allSettled(['a', 'b', 'c', 'a'].map((name) => take(name, 1, work(name))))
    await clock.advance(SECOND)
    expect((await ends).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(seen).toEqual(['a', 'b', 'c', 'a'])
  })

  /** A domain that takes turns of as many items as it may, which need `msEach`; how many it may take in the end. */
  async function settle(
    { take, limit }: ReturnType<typeof domainTurns>,
    clock: ReturnType<typeof manualClock>,
    msEach: number,
    isShared = false,
  ) {
    for (let turn = 0; turn < 20; turn++) {
      if (isShared) await take('forum', 1, async () => undefined)
      const items = limit('logs')
      const done = take('logs', items, () => clock.sleep(items * msEach))
      await clock.advance(items * msEach)
      await done
    }
    return limit('logs')
  }

  test('a batch may be as large as a tenth of a second allows, by a store that becomes slower or faster', async () => {
    const clock = manualClock(0)
    const inTurn = domainTurns(clock)
    for (const msEach of [1, 10, 0.5, 200, 4]) {
      const items = await settle(inTurn, clock, msEach, true)
      expect(items).toBeLessThanOrEqual(Math.max(1, 100 / msEach))
      expect(items).toBeGreaterThanOrEqual(Math.min(1, 25 / msEach))
      await clock.advance(10 * SECOND)
    }
  })

  test('a domain that is alone has larger batches, until another one asks', async () => {
    const clock = manualClock(0)
    const inTurn = domainTurns(clock)
    const items = await settle(inTurn, clock, 2)
    expect(items).toBeGreaterThan(120)
    expect(items).toBeLessThanOrEqual(250)
    await inTurn.take('forum', 1, async () => undefined)
    expect(inTurn.limit('logs')).toBe(items / 5)
    await clock.advance(5 * SECOND)
    expect(inTurn.limit('logs')).toBe(items)
  })

  test('a slow turn makes the next ones of its domain smaller, not those of another one', async () => {
    const clock = manualClock(0)
    const { take, limit } = domainTurns(clock)
    const done = take('logs', 16, () => clock.sleep(45 * SECOND))
    await clock.advance(60 * SECOND)
    await done
    await take('forum', 1, async () => undefined)
    expect([limit('logs'), limit('forum')]).toEqual([1, 5 * 16])
  })

  test('once they are not needed any more there is no limit', () => {
    const { limit, end } = domainTurns(manualClock())
    end()
    expect(limit('logs')).toBe(Number.POSITIVE_INFINITY)
  })
})
