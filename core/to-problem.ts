import { failureOf } from './failure.ts'
import { internalError, Problem, RETRY_SOON } from './problem.ts'
import type { Request } from './request.ts'
import type { Telemetry } from './telemetry.ts'
import { Unavailable } from './unavailable.ts'

/** A request, as far as the log reports it. */
type Reported = Pick<Request, 'trace' | 'servedBy'> & { route?: string }

/** The problem that a client gets for any error. It counts and logs outages and bugs, a bug of a domain with its place. */
export function toProblem(error: unknown, { trace, route, servedBy }: Reported, telemetry: Telemetry): Problem {
  const { logger, metrics } = telemetry
  const { traceId } = trace
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
  const { message, frames } = failureOf(error)
  logger.error({ trace: traceId, ...servedBy, path: route, detail: message, frames, err: error }, 'a request failed')
  return internalError()
}
