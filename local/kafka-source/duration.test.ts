import { expect, test } from 'vitest'
import { milliseconds } from './duration.ts'

test.each([
  ['PT1S', 1000],
  ['PT0.3S', 300],
  ['PT600S', 600_000],
  ['PT1M30S', 90_000],
  ['P1DT2H', 93_600_000],
])('%s is %d ms', (duration, ms) => expect(milliseconds(duration)).toBe(ms))

test.each(['', 'P', 'PT', '1s', 'PT1.S', 'P1M', 'PT-1S'])('%j is refused', (duration) => {
  expect(() => milliseconds(duration)).toThrow('not an ISO 8601 duration')
})
