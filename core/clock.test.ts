import { expect, test } from 'vitest'
import { systemClock } from './clock.ts'

test.each([1000, 2 ** 31, 2 ** 60])(
  'given %d ms to sleep, then it does not wake early, but when it is aborted',
  async (ms) => {
    const stop = new AbortController()
    let isAwake = false
    const sleeping = systemClock.sleep(ms, stop.signal).then(() => {
      isAwake = true
    })
    await systemClock.sleep(30)
    expect(isAwake).toBe(false)
    stop.abort()
    await sleeping
  },
)
