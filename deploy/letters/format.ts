import { DAY_MS, HOUR_MS, MINUTE_MS } from '#core/clock.ts'
import type { Letter, Outcome } from './letters-api.ts'

/** Letters as text for a terminal. They contain text of clients, so control characters are escaped. */

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
export const oneLine = (text: string): string => text.replace(/\s+/g, ' ').replace(UNPRINTABLE, '?')
const escaped = (json: string): string =>
  json.replace(UNPRINTABLE, (sign) => (sign === '\n' ? sign : `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`))

export function ageOf(at: string, now: number): string {
  const ms = Math.max(0, now - Date.parse(at))
  if (ms < 2 * MINUTE_MS) return `${Math.floor(ms / 1000)}s`
  if (ms < 2 * HOUR_MS) return `${Math.floor(ms / MINUTE_MS)}m`
  if (ms < 2 * DAY_MS) return `${Math.floor(ms / HOUR_MS)}h`
  return `${Math.floor(ms / DAY_MS)}d`
}

const HEADINGS = ['AGE', 'ATTEMPTS', 'DOMAIN', 'STREAM', 'ID', 'ERROR']

/** A line for each letter, below the headings. */
export function formatTable(letters: Letter[], now: number): string[] {
  const rows = letters.map(({ id, at, attempts, domain, stream, error }) =>
    [ageOf(at, now), `${attempts}`, domain || '-', stream || '-', id, error].map(oneLine),
  )
  const all = [HEADINGS, ...rows]
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all.map((row) =>
    row
      .map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell))
      .join('  ')
      .trimEnd(),
  )
}

/** One letter with its event. */
export function formatLetter(
  { id, at, attempts, domain, stream, error, record, event }: Letter,
  now: number,
): string[] {
  const fields = {
    id,
    domain: domain || 'unknown',
    stream: stream || 'unknown',
    error,
    attempts: `${attempts}`,
    kept: `${at}, ${ageOf(at, now)} ago`,
    record: `${record.topic || 'unknown topic'}, partition ${record.partition}, offset ${record.offset}`,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name.padEnd(10)}${oneLine(value)}`)
  return [...lines, 'event', escaped(JSON.stringify({ ...event, ...parsed(event.data) }, undefined, 2))]
}

/** JSON data as a value, unless that would change it, as it changes large numbers. */
function parsed(data: unknown): { data?: unknown } {
  try {
    const value: unknown = JSON.parse(String(data))
    return JSON.stringify(value) === data ? { data: value } : {}
  } catch {
    return {}
  }
}

export function formatOutcome({ redriven = 0, failures = 0, failed = [] }: Outcome): string[] {
  if (redriven + failures === 0) return ['There is no such letter; nothing was redriven.']
  const lines = failed.map(({ id, error }) => `  ${oneLine(id)}  ${oneLine(error)}`)
  const more = failures > failed.length ? [`  and ${failures - failed.length} more`] : []
  return [`${redriven} redriven, ${failures} failed${failures > 0 ? ':' : ''}`, ...lines, ...more]
}
