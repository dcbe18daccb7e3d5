import { internalError, Problem, RETRY_SOON } from './problem.ts'
import type { Trace } from './request.ts'
import type { Telemetry } from './telemetry.ts'
import { Unavailable } from './unavailable.ts'

/** The problem that a client gets for any error. It counts and logs outages and bugs. */
export function toProblem(error: unknown, { traceId }: Trace, { logger, metrics }: Telemetry): Problem {
  const outage = [error, (error as Error | undefined)?.cause].find((reason) => reason instanceof Unavailable)
  if (outage) {
    metrics.failed(outage.what)
    logger.warn({ trace: traceId, err: outage }, 'unavailable')
  }
  if (error instanceof Problem) return error
  if (outage) {
    return new Problem(503, 'Unavailable', `The ${outage.what} is unavailable.`, { headers: RETRY_SOON })
  }
  metrics.failed('bug')
  logger.error({ trace: traceId, err: error }, 'a request failed')
  return internalError()
}
