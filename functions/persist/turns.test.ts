import { describe, expect, test } from 'vitest'
import { manualClock } from '#test/clock.ts'
import { turns } from './turns.ts'

const SECOND = 1000

describe('turns', () => {
  test('one works at a time, in the order in which they asked, whatever becomes of the others', async () => {
    const clock = manualClock(0)
    const { take } = turns(clock)
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

  test('a batch may be as large as a tenth of a second allows, and follows a store that becomes slower or faster', async () => {
    const clock = manualClock(0)
    const { take, limit } = turns(clock)
    const settle = async (msEach: number) => {
      for (let turn = 0; turn < 20; turn++) {
        const items = limit('logs')
        const done = take('logs', items, () => clock.sleep(items * msEach))
        await clock.advance(60 * SECOND)
        await done
      }
      return limit('logs')
    }
    for (const msEach of [1, 10, 0.5, 200, 4]) {
      const items = await settle(msEach)
      expect(items).toBeLessThanOrEqual(Math.max(1, 100 / msEach))
      expect(items).toBeGreaterThanOrEqual(Math.min(1, 25 / msEach))
    }
  })

  test('one slow turn makes the next ones smaller, not the others of another domain', async () => {
    const clock = manualClock(0)
    const { take, limit } = turns(clock)
    const done = take('logs', 16, () => clock.sleep(45 * SECOND))
    await clock.advance(60 * SECOND)
    await done
    expect([limit('logs'), limit('forum')]).toEqual([1, 16])
  })

  test('once they are not needed any more there is no limit', () => {
    const { limit, end } = turns(manualClock())
    end()
    expect(limit('logs')).toBe(Number.POSITIVE_INFINITY)
  })
})
