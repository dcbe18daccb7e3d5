import { z } from 'zod'

const [FIRST, LAST] = [Date.parse('0000-01-01T00:00:00.000Z'), Date.parse('9999-12-31T23:59:59.999Z')]

/**
 * The timestamp in UTC, with all digits of its second but at least three. It is unchanged if its year in UTC does not have four
 * digits, since no date-time can hold it.
 */
export function utcOf(timestamp: string): string {
  const [, fraction = ''] = /\.(\d+)/.exec(timestamp) ?? []
  const second = Date.parse(timestamp.replace(/\.\d+/, ''))
  if (second < FIRST || second > LAST) return timestamp
  return `${new Date(second).toISOString().slice(0, 19)}.${fraction.padEnd(3, '0')}Z`
}

/** The schema of a time bound of a query. The result has the form of documents' times: UTC with milliseconds. */
export const bound = z.iso.datetime({ offset: true }).transform((timestamp) => {
  // Documents have times in whole milliseconds, so a bound between two of them equals the later one.
  const later = /\.\d{3}\d*[1-9]/.test(timestamp) ? 1 : 0
  const time = Date.parse(timestamp) + later
  return new Date(Math.min(Math.max(time, FIRST), LAST)).toISOString()
})
