import { jsonLogger } from '#adapters/telemetry/logger.ts'
import { type PrometheusMetrics, prometheusMetrics } from '#adapters/telemetry/metrics.ts'
import type { Logger } from '#core/telemetry.ts'
import { config } from './config.ts'

let made: { logger: Logger; metrics: PrometheusMetrics } | undefined

/** The logger and the metrics of this process, created at the first call. */
export const telemetry = (): { logger: Logger; metrics: PrometheusMetrics } =>
  (made ??= { logger: jsonLogger(config().LOG_LEVEL), metrics: prometheusMetrics() })
