import pino from 'pino'
import type { Logger } from '#core/telemetry.ts'

/** A logger that writes JSON lines to standard output. */
export const jsonLogger = (level: string): Logger =>
  pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  })
