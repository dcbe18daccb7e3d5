import { styleText } from 'node:util'
import type { Logger } from '#core/telemetry.ts'

type Fields = { [name: string]: unknown }
type Color = Parameters<typeof styleText>[0]

const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const
type Level = (typeof LEVELS)[number]
const COLORS: { [level in Level]: Color } = { debug: 'dim', info: 'cyan', warn: 'yellow', error: 'red', fatal: 'red' }
/** The outcomes of commands. */
const OUTCOMES: { [message: string]: Color } = {
  applied: 'green',
  rejected: 'yellow',
  parked: 'red',
  'kept as a letter': 'red',
  'not applied': 'red',
}

/**
 * A logger for the people in front of a terminal: one line for each entry, and the places of a bug below it. At `debug` it shows the
 * outcome of each command. The other entries for debugging, which tell its way there, need `trace`.
 */
export function terminalLogger(level: string, write: (line: string) => unknown = (line) => process.stdout.write(line)) {
  const least = level === 'silent' ? LEVELS.length : Math.max(0, LEVELS.indexOf(level as Level))
  const isShown = (own: Level, message: string) =>
    LEVELS.indexOf(own) >= least && (own !== 'debug' || level === 'trace' || Object.hasOwn(OUTCOMES, message))
  const at = (own: Level) => (fields: object, message: string) => {
    if (isShown(own, message)) write(`${lineOf(own, fields as Fields, message, new Date())}\n`)
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
  } satisfies Logger
}

export function lineOf(level: Level, fields: Fields, message: string, now: Date): string {
  const {
    command,
    trace: _,
    type,
    stream,
    actor,
    ms,
    status: __,
    detail,
    rejected,
    kept,
    frames,
    err,
    ...others
  } = fields
  const error = err instanceof Error ? err : undefined
  const reason = rejected ?? kept ?? detail ?? (error && !message.includes(error.message) ? error.message : undefined)
  const more = Object.entries(others).filter(([, value]) => value !== undefined)
  const parts = [
    styleText('dim', now.toTimeString().slice(0, 8)),
    styleText(OUTCOMES[message] ?? COLORS[level], message),
    type,
    stream,
    actor,
    ms === undefined ? undefined : styleText('dim', `${ms} ms`),
    reason === undefined ? undefined : styleText(level === 'debug' ? 'yellow' : COLORS[level], String(reason)),
    type === undefined ? command : undefined,
    ...more.map(([name, value]) => styleText('dim', `${name}=${textOf(value)}`)),
  ]
  const places = Array.isArray(frames)
    ? frames
    : level === 'error' && error
      ? (error.stack ?? '').split('\n').slice(1)
      : []
  return [
    parts.filter((part) => part !== undefined).join('  '),
    ...places.map((place) => `          at ${String(place).trim().replace(/^at /, '')}`),
  ].join('\n')
}

const textOf = (value: unknown): string =>
  Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value)
