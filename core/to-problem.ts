import { internalError, Problem } from './problem.ts'
import type { Telemetry } from './telemetry.ts'
import type { Trace } from './trace.ts'
import { Unavailable } from './unavailable.ts'

/** The problem that a client gets for an error of any kind. An outage and a bug are counted and logged. */
export function toProblem(error: unknown, { traceId }: Trace, { logger, metrics }: Telemetry): Problem {
  const outage = [error, (error as Error | undefined)?.cause].find((reason) => reason instanceof Unavailable)
  if (outage) {
    metrics.failed(outage.what)
    logger.warn({ trace: traceId, err: outage }, 'unavailable')
  }
  if (error instanceof Problem) return error
  if (outage) {
    return new Problem(503, 'Unavailable', `The ${outage.what} is away.`, { headers: { 'retry-after': '1' } })
  }
  metrics.failed('bug')
  logger.error({ trace: traceId, err: error }, 'a request failed')
  return internalError()
}
