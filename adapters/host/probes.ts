import { Problem } from '#core/problem.ts'
import { jsonResponse, type Request, type Response } from '#core/request.ts'
import type { Logger, Telemetry } from '#core/telemetry.ts'

/** Rejects when a part of the system is unavailable. */
export type Check = () => Promise<void>

const CHECK_WITHIN_MS = 3000

/** The paths of the probes. */
export const PROBES = ['/metrics', '/health/']

/**
 * Serves the probes and the metrics. /health/live: the process responds. /health/ready: it accepts traffic; an outage of the store does not
 * change that, because it would take every instance away. /health/deep: the state of each part, for people and alerts. Concurrent requests
 * share its checks, because a check may write. /metrics: Prometheus.
 */
export const probes = (checks: Record<string, Check>, draining: () => boolean, { logger, metrics }: Telemetry) => {
  let deepCheck: Promise<Response> | undefined
  return async ({ path }: Request): Promise<Response> => {
    switch (path) {
      case '/health/live':
        return uncached(200, { status: 'up' })
      case '/health/ready':
        return draining() ? uncached(503, { status: 'draining' }) : uncached(200, { status: 'up' })
      case '/health/deep':
        deepCheck ??= checkAll(checks, logger).finally(() => {
          deepCheck = undefined
        })
        return await deepCheck
      case '/metrics': {
        const { contentType, text } = await metrics.scrape()
        return { status: 200, headers: { 'content-type': contentType }, body: text }
      }
      default:
        throw new Problem(404, 'Not found', `There is nothing at ${path}.`)
    }
  }
}

async function checkAll(checks: Record<string, Check>, logger: Logger): Promise<Response> {
  const parts = await Promise.all(
    Object.entries(checks).map(
      async ([name, check]) =>
        [
          name,
          await inTime(check).then(
            () => 'up',
            (error) => reportAway(name, error, logger),
          ),
        ] as const,
    ),
  )
  const isUp = parts.every(([, state]) => state === 'up')
  return uncached(isUp ? 200 : 503, { status: isUp ? 'up' : 'degraded', parts: Object.fromEntries(parts) })
}

/** Logs the reason. The response does not contain it, because it may name hosts. */
function reportAway(part: string, error: unknown, logger: Logger): string {
  logger.warn({ part, err: error }, 'a health check failed')
  return 'away'
}

function inTime(check: Check): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no response within ${CHECK_WITHIN_MS} ms`)), CHECK_WITHIN_MS)
  })
  return Promise.race([check(), late]).finally(() => clearTimeout(timer))
}

const uncached = (status: number, body: unknown): Response =>
  jsonResponse(status, body, { 'cache-control': 'no-store' })
