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

const HEADINGS = ['AGE', 'ATTEMPTS', 'DOMAIN', 'TYPE', 'STREAM', 'ID', 'ERROR']

/** A line for each letter, below the headings. The error's first frame is behind it if the line then fits the terminal. */
export function formatTable(letters: Letter[], now: number, columns = Number.POSITIVE_INFINITY): string[] {
  const rows = letters.map(({ id, at, attempts, domain, type, stream, error }) =>
    [ageOf(at, now), `${attempts}`, domain || '-', type || '-', stream || '-', id, error].map(oneLine),
  )
  const all = [HEADINGS, ...rows]
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const lines = all.map((row) =>
    row
      .map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell))
      .join('  ')
      .trimEnd(),
  )
  return lines.map((line, at) => {
    const longer = line + firstFrame(letters[at - 1])
    return longer.length <= columns ? longer : line
  })
}

const firstFrame = (letter: Pick<Letter, 'frames'> | undefined): string =>
  letter?.frames?.[0] ? ` at ${oneLine(letter.frames[0])}` : ''

/** One letter with all frames of its error, and its event. */
export function formatLetter(
  { id, at, attempts, domain, type, stream, error, frames = [], record, event }: Letter,
  now: number,
): string[] {
  const fields = [
    ['id', id],
    ['domain', domain || 'unknown'],
    ['type', type || 'unknown'],
    ['stream', stream || 'unknown'],
    ['error', error],
    ...frames.map((frame, index) => [index === 0 ? 'at' : '', frame]),
    ['attempts', `${attempts}`],
    ['kept', `${at}, ${ageOf(at, now)} ago`],
    ['record', `${record.topic || 'unknown topic'}, partition ${record.partition}, offset ${record.offset}`],
  ]
  const lines = fields.map(([name = '', value = '']) => `${name.padEnd(10)}${oneLine(value)}`)
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
  const lines = failed.map((letter) => `  ${oneLine(letter.id)}  ${oneLine(letter.error)}${firstFrame(letter)}`)
  const more = failures > failed.length ? [`  and ${failures - failed.length} more`] : []
  return [`${redriven} redriven, ${failures} parked again${failures > 0 ? ':' : ''}`, ...lines, ...more]
}
