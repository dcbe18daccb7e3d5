import { jsonLogger } from '#adapters/telemetry/logger.ts'
import { type PrometheusMetrics, prometheusMetrics } from '#adapters/telemetry/metrics.ts'
import { terminalLogger } from '#adapters/telemetry/terminal-logger.ts'
import type { Logger } from '#core/telemetry.ts'
import { config } from './config.ts'

let made: { logger: Logger; metrics: PrometheusMetrics } | undefined

/** The logger and the metrics of this process, created at the first call. */
export const telemetry = (): { logger: Logger; metrics: PrometheusMetrics } =>
  (made ??= { logger: loggerOf(config()), metrics: prometheusMetrics() })

/** Programs read JSON lines. At a terminal a person reads, who wants to see every command. */
const loggerOf = ({ LOG_LEVEL: level }: { LOG_LEVEL?: string | undefined }): Logger =>
  process.stdout.isTTY ? terminalLogger(level ?? 'debug') : jsonLogger(level ?? 'info')
