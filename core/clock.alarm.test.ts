import { expect, test } from 'vitest'
import { manualClock } from '#test/clock.ts'
import { alarm } from './clock.ts'

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

test('rings at each time with one timer, in whatever order they were set', async () => {
  const { clock, rang, by } = given()
  by(300, 100, 200)
  await clock.advance(0)
  expect(clock.sleepers()).toBe(1)
  await clock.advance(1000)
  expect(rang).toEqual([100, 200, 300])
  expect(clock.sleepers()).toBe(0)
})

test('rings at an earlier time that is set later', async () => {
  const { clock, rang, by } = given()
  by(1000)
  await clock.advance(400)
  by(500)
  await clock.advance(200)
  expect(rang).toEqual([500])
  await clock.advance(1000)
  expect(rang).toEqual([500, 1000])
})

test('times that are close together share a ring, at most ten milliseconds late', async () => {
  const { clock, rang, by } = given()
  by(100, 101, 102, 103)
  await clock.advance(1000)
  expect(rang).toEqual([100, 110])
})

test('a past time rings at once, and a stopped alarm never rings', async () => {
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
