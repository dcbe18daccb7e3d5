import { expect, test } from 'vitest'
import { manualClock } from '#test/clock.ts'
import { lane } from './lane.ts'
import { pauseAfter } from './linger.ts'

const ROUND_TRIP_MS = 5

/** A lane to a broker that takes a batch at a time, each for a round trip. */
function given({ roundTripMs = ROUND_TRIP_MS, fails = () => false as boolean, seed = 1 } = {}) {
  const clock = manualClock()
  const sends: number[][] = []
  const written: number[] = []
  let last = { batch: '', offset: 0 }
  const made = lane<number>({
    clock,
    bytesOf: () => 1,
    maxBytes: 10_000,
    isTheirFault: () => false,
    async send(items) {
      sends.push(items)
      await clock.sleep(roundTripMs)
      if (fails()) throw new Error('no broker')
      const batch = items.join()
      if (batch !== last.batch) last = { batch, offset: written.push(...items) - items.length }
      if (fails()) throw new Error('the connection broke')
      return last.offset
    },
  })
  let count = 0
  const tookMs: number[] = []
  async function append(): Promise<void> {
    const item = count++
    const began = clock.now()
    const offset = await made.append(item, began + 60_000)
    expect(written[offset]).toBe(item)
    tookMs.push(clock.now() - began)
  }
  /** Advances until all of `work` is done, a millisecond at a time. */
  async function run(work: Promise<unknown>): Promise<void> {
    let isDone = false
    void work.finally(() => {
      isDone = true
    })
    while (!isDone) await clock.advance(1)
    await work
  }
  return { clock, sends, written, tookMs, append, run, close: made.close, random: numbers(seed), count: () => count }
}

type Given = ReturnType<typeof given>

/** Callers that append again a moment after each acknowledgement. */
const closedLoop = ({ append, clock, random }: Given, callers: number, times: number) =>
  Promise.all(
    Array.from({ length: callers }, async () => {
      for (let time = 0; time < times; time++) {
        await append()
        await clock.sleep(1 + Math.floor(random() * 3))
      }
    }),
  )

/** Appends at random times, however long they take. */
async function openLoop({ append, clock, random }: Given, perSecond: number, appends: number): Promise<void> {
  const all: Promise<void>[] = []
  for (let index = 0; index < appends; index++) {
    all.push(append())
    await clock.sleep((-Math.log(1 - random()) * 1000) / perSecond)
  }
  await Promise.all(all)
}

const mean = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length

test('given one caller at a time, then it never waits for more than its own send', async () => {
  const lane = given()
  await lane.run(closedLoop(lane, 1, 100))
  expect(new Set(lane.tookMs)).toEqual(new Set([ROUND_TRIP_MS]))
})

test('given a lane that was busy, then an append to it when it is idle does not wait', async () => {
  const lane = given()
  await lane.run(closedLoop(lane, 40, 5))
  await lane.clock.advance(100)
  lane.tookMs.length = 0
  await lane.run(lane.append())
  expect(lane.tookMs).toEqual([ROUND_TRIP_MS])
})

test('given 67 appends a second, as 200/s over three lanes, then hardly one waits for a linger', async () => {
  const lane = given()
  await lane.run(openLoop(lane, 67, 2000))
  // Without a linger an append waits for the rest of a send that is in flight: a third of a round trip, a third of the time.
  expect(mean(lane.tookMs)).toBeLessThan(ROUND_TRIP_MS * 1.4)
})

test('given 43 callers, as 128 connections over three lanes, then a send has almost all of them, and waits for no more', async () => {
  const lane = given()
  await lane.run(closedLoop(lane, 43, 50))
  expect(lane.count() / lane.sends.length).toBeGreaterThan(36)
  expect(mean(lane.tookMs)).toBeLessThan(ROUND_TRIP_MS * 2)
})

test('given brokers that fail at random, then all is written once, in order, and acknowledged at its offset', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = numbers(seed)
    const lane = given({ fails: () => random() < 0.1, seed, roundTripMs: 1 + (seed % 20) })
    await lane.run(Promise.all([closedLoop(lane, 10 + seed, 10), openLoop(lane, 500, 100)]))
    expect(lane.tookMs.length).toBe(lane.count())
    expect(lane.written).toEqual(Array.from({ length: lane.count() }, (_, item) => item))
  }
})

test('given a close while a lane lingers, then no timer remains', async () => {
  const lane = given()
  const appends = Array.from({ length: 10 }, lane.append)
  await lane.run(Promise.all(appends))
  expect(lane.clock.sleepers()).toBeGreaterThan(0)
  await lane.close()
  await lane.clock.advance(0)
  expect(lane.clock.sleepers()).toBe(0)
})

test('given any send, then the pause is at most as long as the send and 8 ms, and there is none after few or many records', () => {
  const random = numbers(3)
  const upTo = (limit: number) => Math.floor(random() * limit)
  for (let round = 0; round < 10_000; round++) {
    const ended = { sent: 1 + upTo(300), waiting: upTo(300), tookMs: upTo(50) - 5 }
    const { sent, waiting, tookMs } = ended
    const pause = pauseAfter(ended)
    if (!pause) continue
    expect(sent + waiting).toBeGreaterThanOrEqual(4)
    expect(sent + waiting).toBeLessThanOrEqual(250)
    expect(pause.forMs).toBeGreaterThan(0)
    expect(pause.forMs).toBeLessThanOrEqual(Math.min(tookMs, 8))
    expect(pause.enough).toBe(sent + waiting)
  }
  expect(pauseAfter({ sent: 2, waiting: 1, tookMs: 20 })).toBeUndefined()
  expect(pauseAfter({ sent: 200, waiting: 100, tookMs: 20 })).toBeUndefined()
})

/** The same numbers in every run. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
