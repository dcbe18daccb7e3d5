import { z } from 'zod'

const [FIRST, LAST] = [Date.parse('0000-01-01T00:00:00.000Z'), Date.parse('9999-12-31T23:59:59.999Z')]

/**
 * The same moment in UTC, with all digits of its second and three at least. A moment whose year in UTC has not four digits stays
 * as it is: no date-time could hold it.
 */
export function utcOf(timestamp: string): string {
  const [, fraction = ''] = /\.(\d+)/.exec(timestamp) ?? []
  const second = Date.parse(timestamp.replace(/\.\d+/, ''))
  if (second < FIRST || second > LAST) return timestamp
  return `${new Date(second).toISOString().slice(0, 19)}.${fraction.padEnd(3, '0')}Z`
}

/** A bound of a query, in the form of the times that documents have: UTC with milliseconds, a year of four digits. */
export const bound = z.iso.datetime({ offset: true }).transform((timestamp) => {
  // A bound between two milliseconds excludes and includes the same documents as the later one.
  const later = /\.\d{3}\d*[1-9]/.test(timestamp) ? 1 : 0
  const time = Date.parse(timestamp) + later
  return new Date(Math.min(Math.max(time, FIRST), LAST)).toISOString()
})
