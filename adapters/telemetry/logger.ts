import pino from 'pino'
import { config } from '../config.ts'

/** One JSON line for each thing worth knowing; `command` is a command id, `trace` a trace id. */
export const logger = pino({
  level: config().LOG_LEVEL,
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
})
