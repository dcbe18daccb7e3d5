import { expect, test } from 'vitest'
import { manualClock } from '#test/clock.ts'
import { alarm } from './alarm.ts'

function given() {
  const clock = manualClock(0)
  const times = new Set<number>()
  const rang: number[] = []
  const { set, stop } = alarm(clock, (now) => {
    rang.push(now)
    for (const time of times) if (time <= now) times.delete(time)
    return times.size > 0 ? Math.min(...times) : undefined
  })
  const by = (...all: number[]) => {
    for (const time of all) {
      times.add(time)
      set(time)
    }
  }
  return { clock, rang, by, stop }
}

test('rings at each time, in whatever order they were set, with one timer', async () => {
  const { clock, rang, by } = given()
  by(300, 100, 200)
  await clock.advance(0)
  expect(clock.sleepers()).toBe(1)
  await clock.advance(1000)
  expect(rang).toEqual([100, 200, 300])
  expect(clock.sleepers()).toBe(0)
})

test('an earlier time that is set later is kept too', async () => {
  const { clock, rang, by } = given()
  by(1000)
  await clock.advance(400)
  by(500)
  await clock.advance(200)
  expect(rang).toEqual([500])
  await clock.advance(1000)
  expect(rang).toEqual([500, 1000])
})

test('times that lie close together share a ring, at most ten milliseconds late', async () => {
  const { clock, rang, by } = given()
  by(100, 101, 102, 103)
  await clock.advance(1000)
  expect(rang).toEqual([100, 110])
})

test('a time that has passed rings at once, and a stopped alarm not at all', async () => {
  const { clock, rang, by, stop } = given()
  await clock.advance(50)
  by(20)
  await clock.advance(0)
  expect(rang).toEqual([50])
  by(100)
  stop()
  by(60)
  await clock.advance(1000)
  expect(rang).toEqual([50])
  expect(clock.sleepers()).toBe(0)
})
