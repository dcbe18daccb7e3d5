import { expect, test } from 'vitest'
import type { Clock } from '#core/clock.ts'
import { retryOnConflict, retryWhileUnavailable } from '#core/retry.ts'
import { Conflict } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'

let time = 0
/** Sleeping takes no time but passes it. */
const clock: Clock = {
  now: () => time,
  async sleep(ms) {
    time += ms
  },
}

/** Work that always fails, and counts its attempts. */
function failing(error: Error) {
  let calls = 0
  const work = async () => {
    calls++
    throw error
  }
  return Object.assign(work, { calls: () => calls })
}

test('given an outage, then the work is repeated until its end', async () => {
  let failures = 3
  const work = async () => {
    if (failures-- > 0) throw new Unavailable('store', 'gone')
    return 'done'
  }
  expect(await retryWhileUnavailable(work, clock.now() + 10_000, clock)).toBe('done')
})

test('given an outage that lasts, then the last attempt is before the deadline', async () => {
  const deadline = clock.now() + 10_000
  await expect(retryWhileUnavailable(failing(new Unavailable('store', 'gone')), deadline, clock)).rejects.toThrow(
    'gone',
  )
  expect(clock.now()).toBeLessThan(deadline)
  expect(clock.now()).toBeGreaterThan(deadline - 2000)
})

test('given conflicts without end, then there are ten attempts, or as many as were asked for', async () => {
  const parts = { clock, random: () => 0.5 }
  for (const [most, calls] of [
    [undefined, 10],
    [3, 3],
  ] as const) {
    const work = failing(new Conflict('another writer was first'))
    await expect(retryOnConflict(work, parts, most)).rejects.toThrow(Conflict)
    expect(work.calls()).toBe(calls)
  }
})

test('given chance, then the pauses between conflicting writers differ, and grow', async () => {
  const pauses: number[] = []
  const patient: Clock = { ...clock, sleep: async (ms) => void pauses.push(ms) }
  const work = failing(new Conflict('another writer was first'))
  await retryOnConflict(work, { clock: patient, random: () => 0.5 }, 4).catch(() => undefined)
  expect(pauses).toEqual([5, 10, 20])
})

test.each([
  ['a conflict', new Conflict('first'), 'an outage'],
  ['an outage', new Unavailable('store', 'gone'), 'a conflict'],
  ['a fault', new Error('division by zero'), 'anything'],
])('given %s, then it is not repeated as %3$s', async (_, error, as) => {
  const work = failing(error)
  if (as !== 'a conflict') await retryWhileUnavailable(work, clock.now() + 1000, clock).catch(() => undefined)
  if (as !== 'an outage') await retryOnConflict(work, { clock, random: () => 0 }).catch(() => undefined)
  expect(work.calls()).toBe(as === 'anything' ? 2 : 1)
})
