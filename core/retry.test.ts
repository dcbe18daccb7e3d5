import { expect, test } from 'vitest'
import type { Clock } from './clock.ts'
import { exponential, type RetryPolicy, retry } from './retry.ts'

/** A clock on which sleeping takes no time but passes it. */
function sleeper() {
  const pauses: number[] = []
  let time = 0
  const clock: Clock = {
    now: () => time,
    async sleep(ms) {
      pauses.push(ms)
      time += ms
    },
  }
  return { clock, pauses }
}

/** Fails so many times, then resolves with the number of the attempt. */
function failing(times: number) {
  let attempts = 0
  return async () => {
    if (attempts++ < times) throw new Error(`failure ${attempts}`)
    return attempts
  }
}

const policy = (clock: Clock, changes: Partial<RetryPolicy> = {}): RetryPolicy => ({
  clock,
  when: () => true,
  pause: () => 10,
  ...changes,
})

test('given work that succeeds, then it runs once', async () => {
  const { clock, pauses } = sleeper()
  expect(await retry(failing(0), policy(clock))).toBe(1)
  expect(pauses).toEqual([])
})

test('given work that fails three times, then it is repeated after each pause', async () => {
  const { clock, pauses } = sleeper()
  expect(await retry(failing(3), policy(clock, { pause: (attempts) => attempts * 10 }))).toBe(4)
  expect(pauses).toEqual([10, 20, 30])
})

test('given an error that the policy does not repeat, then it is thrown at once', async () => {
  const { clock, pauses } = sleeper()
  const when = (error: unknown) => (error as Error).message !== 'failure 2'
  await expect(retry(failing(9), policy(clock, { when }))).rejects.toThrow('failure 2')
  expect(pauses).toEqual([10])
})

test('given a number of attempts, then the error of the last one is thrown', async () => {
  const { clock, pauses } = sleeper()
  await expect(retry(failing(9), policy(clock, { maxAttempts: 3 }))).rejects.toThrow('failure 3')
  expect(pauses).toEqual([10, 10])
})

test('given a deadline, then no attempt begins at it', async () => {
  const { clock, pauses } = sleeper()
  await expect(retry(failing(9), policy(clock, { deadline: 30 }))).rejects.toThrow('failure 3')
  expect(pauses).toEqual([10, 10])
})

test('given a signal that aborts in a pause, then no other attempt begins', async () => {
  const { clock } = sleeper()
  const stop = new AbortController()
  const stopped: Clock = { ...clock, sleep: async () => stop.abort() }
  await expect(retry(failing(9), policy(stopped, { signal: stop.signal }))).rejects.toThrow('failure 1')
})

test('given a listener, then it gets each error that another attempt follows', async () => {
  const { clock } = sleeper()
  const heard: string[] = []
  const onRetry = (error: unknown) => heard.push((error as Error).message)
  await retry(failing(2), policy(clock, { onRetry }))
  await retry(failing(1), policy(clock, { maxAttempts: 1, onRetry })).catch(() => undefined)
  expect(heard).toEqual(['failure 1', 'failure 2'])
})

test('exponential pauses double up to the longest one', () => {
  expect([1, 2, 3, 4, 9].map(exponential(50, 300))).toEqual([50, 100, 200, 300, 300])
})
