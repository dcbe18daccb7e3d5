import { expect, test } from 'vitest'
import { manualClock } from '#test/clock.ts'
import { pollPacing } from './poll-pacing.ts'

function polling(records: number) {
  const clock = manualClock(0)
  const stop = new AbortController()
  const polled = pollPacing(clock, records, stop.signal)
  const handedOut: number[] = []
  const come = (count: number) => {
    for (let n = 0; n < count; n++) void polled().then(() => handedOut.push(clock.now()))
  }
  return { clock, stop, come, handedOut }
}

test('given records, then each waits for its second poll: 200 to 400 ms', async () => {
  const { clock, come, handedOut } = polling(50)
  await clock.advance(50)
  come(1)
  await clock.advance(149)
  come(1)
  await clock.advance(2)
  come(1)
  await clock.advance(1000)
  expect(handedOut).toEqual([400, 400, 600])
})

test('given more records than a poll returns, then the others wait for the next poll: 250/s at 50 records', async () => {
  const { clock, come, handedOut } = polling(50)
  come(250)
  await clock.advance(1200)
  expect(handedOut).toEqual([400, 600, 800, 1000, 1200].flatMap((at) => Array(50).fill(at)))
})

test('given that the source closes, then every wait ends', async () => {
  const { clock, stop, come, handedOut } = polling(50)
  come(3)
  stop.abort()
  await clock.advance(0)
  come(1)
  await clock.advance(0)
  expect(handedOut).toEqual([0, 0, 0, 0])
  expect(clock.sleepers()).toBe(0)
})
