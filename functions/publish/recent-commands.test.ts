import { expect, test } from 'vitest'
import { HOUR_MS } from '#core/clock.ts'
import { manualClock } from '#test/clock.ts'
import { quiet } from '#test/telemetry.ts'
import { recentCommands } from './recent-commands.ts'

const { metrics } = quiet()

/** A deduplicating append, and the keys that it appended in their order. */
function appending() {
  const clock = manualClock()
  const appended: string[] = []
  const dedupe = recentCommands<string>(clock, metrics)
  const append = (key: string) => dedupe(key, async () => `${key}, ${appended.push(key)}`)
  return { clock, appended, dedupe, append }
}

const hits = async (): Promise<number> => {
  const { text } = await metrics.scrape()
  return Number(/^millrace_repeats_total (\d+)$/m.exec(text)?.[1])
}

test('a command is appended once, and each repeat gets the same result and is counted', async () => {
  const { appended, append } = appending()
  const before = await hits()
  for (let n = 0; n < 5; n++) expect(await append('a')).toBe('a, 1')
  expect(appended).toEqual(['a'])
  expect((await hits()) - before).toBe(4)
})

test('repeats during the append share its result', async () => {
  const { dedupe } = appending()
  const first = Promise.withResolvers<string>()
  let times = 0
  const append = () => {
    times++
    return first.promise
  }
  const all = Promise.all([dedupe('a', append), dedupe('a', append), dedupe('a', append)])
  first.resolve('done')
  expect(await all).toEqual(['done', 'done', 'done'])
  expect(times).toBe(1)
})

test('a failure reaches all that share it, and is forgotten', async () => {
  const { dedupe } = appending()
  const fail = () => Promise.reject(new Error('away'))
  const both = await Promise.allSettled([dedupe('a', fail), dedupe('a', fail)])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await dedupe('a', async () => 'done')).toBe('done')
})

test('a command is forgotten after an hour', async () => {
  const { clock, append, appended } = appending()
  await append('a')
  await clock.advance(HOUR_MS - 1)
  await append('a')
  await clock.advance(1)
  await append('a')
  expect(appended).toEqual(['a', 'a'])
})

test('the last 10,000 commands are remembered', async () => {
  const { append, appended } = appending()
  for (let n = 0; n <= 10_000; n++) await append(`${n}`)
  await append('1')
  expect(appended).toHaveLength(10_001)
  await append('0')
  expect(appended).toHaveLength(10_002)
})
