import { expect, test } from 'vitest'
import { commands } from '#domains/logs/commands.ts'
import { logEvents } from './sample-log-events.ts'

const NOW = Date.UTC(2030, 0, 1)

test('ten thousand events are all accepted; most are info, few are fatal, and they have traces', () => {
  const next = logEvents(8, 1)
  const events = Array.from({ length: 10_000 }, () => next(NOW))
  for (const event of events) expect(commands['logs.write'].data.safeParse(event).error).toBeUndefined()
  const of = (level: string) => events.filter((event) => event.level === level).length
  expect(of('info')).toBeGreaterThan(5000)
  expect(of('fatal')).toBeGreaterThan(10)
  expect(of('fatal')).toBeLessThan(100)
  expect(new Set(events.map(({ organizationId }) => organizationId)).size).toBe(8)
  const traces = new Set(events.map(({ traceId }) => traceId)).size
  expect(traces).toBeGreaterThan(2000)
  expect(traces).toBeLessThan(6000)
})

test('the same seed gives the same events', () => {
  const [one, two, other] = [logEvents(8, 7), logEvents(8, 7), logEvents(8, 8)]
  expect(one(NOW)).toEqual(two(NOW))
  expect(one(NOW)).not.toEqual(other(NOW))
})
