import { jsonLogger } from '#adapters/telemetry/logger.ts'
import { prometheusMetrics } from '#adapters/telemetry/metrics.ts'

/** The telemetry of a test: a silent logger, and metrics of its own. */
export const quiet = () => ({ logger: jsonLogger('silent'), metrics: prometheusMetrics() })
