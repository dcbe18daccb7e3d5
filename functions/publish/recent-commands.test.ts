import { expect, test } from 'vitest'
import { manualClock } from '#test/clock.ts'
import { quiet } from '#test/telemetry.ts'
import { recentCommands } from './recent-commands.ts'

const { metrics } = quiet()
const HOUR_MS = 3_600_000

/** What was made, in order. */
function making() {
  const clock = manualClock()
  const made: string[] = []
  const dedupe = recentCommands<string>(clock, metrics)
  const make = (key: string) => dedupe(key, async () => `${key}, ${made.push(key)}`)
  return { clock, made, dedupe, make }
}

const hits = async (): Promise<number> => {
  const { text } = await metrics.scrape()
  return Number(/^millrace_repeats_total (\d+)$/m.exec(text)?.[1])
}

test('a command is appended once, and each repeat gets the same result and is counted', async () => {
  const { made, make } = making()
  const before = await hits()
  for (let n = 0; n < 5; n++) expect(await make('a')).toBe('a, 1')
  expect(made).toEqual(['a'])
  expect((await hits()) - before).toBe(4)
})

test('repeats during the append share its result', async () => {
  const { dedupe } = making()
  const first = Promise.withResolvers<string>()
  let times = 0
  const make = () => {
    times++
    return first.promise
  }
  const all = Promise.all([dedupe('a', make), dedupe('a', make), dedupe('a', make)])
  first.resolve('done')
  expect(await all).toEqual(['done', 'done', 'done'])
  expect(times).toBe(1)
})

test('a failure reaches all that share it, and is forgotten', async () => {
  const { dedupe } = making()
  const fail = () => Promise.reject(new Error('away'))
  const both = await Promise.allSettled([dedupe('a', fail), dedupe('a', fail)])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await dedupe('a', async () => 'done')).toBe('done')
})

test('a command is forgotten after an hour', async () => {
  const { clock, make, made } = making()
  await make('a')
  await clock.advance(HOUR_MS - 1)
  await make('a')
  await clock.advance(1)
  await make('a')
  expect(made).toEqual(['a', 'a'])
})

test('the last 10,000 commands are remembered', async () => {
  const { make, made } = making()
  for (let n = 0; n <= 10_000; n++) await make(`${n}`)
  await make('1')
  expect(made).toHaveLength(10_001)
  await make('0')
  expect(made).toHaveLength(10_002)
})
