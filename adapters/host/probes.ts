import { Problem } from '#core/problem.ts'
import type { Request, Response } from '#core/request.ts'
import type { Logger, Telemetry } from '#core/telemetry.ts'

/** Rejects when a part is away. */
export type Check = () => Promise<void>

const CHECK_WITHIN_MS = 3000

export const isProbe = (path: string): boolean => path === '/metrics' || path.startsWith('/health/')

/**
 * /health/live: the process answers. /health/ready: it takes traffic (shallow, so that an outage of the store does not
 * take every instance away). /health/deep: each part, for people and alerts; who asks meanwhile gets the same answer, since a
 * check may write. /metrics: Prometheus.
 */
export const probes = (checks: Record<string, Check>, draining: () => boolean, { logger, metrics }: Telemetry) => {
  let looking: Promise<Response> | undefined
  return async ({ path }: Request): Promise<Response> => {
    switch (path) {
      case '/health/live':
        return json(200, { status: 'up' })
      case '/health/ready':
        return draining() ? json(503, { status: 'draining' }) : json(200, { status: 'up' })
      case '/health/deep':
        looking ??= deep(checks, logger).finally(() => {
          looking = undefined
        })
        return await looking
      case '/metrics': {
        const { contentType, text } = await metrics.scrape()
        return { status: 200, headers: { 'content-type': contentType }, body: text }
      }
      default:
        throw new Problem(404, 'Not found', `There is nothing at ${path}.`)
    }
  }
}

async function deep(checks: Record<string, Check>, logger: Logger): Promise<Response> {
  const parts = await Promise.all(
    Object.entries(checks).map(
      async ([name, check]) =>
        [
          name,
          await within(check).then(
            () => 'up',
            (error) => away(name, error, logger),
          ),
        ] as const,
    ),
  )
  const isUp = parts.every(([, state]) => state === 'up')
  return json(isUp ? 200 : 503, { status: isUp ? 'up' : 'degraded', parts: Object.fromEntries(parts) })
}

/** The reason is for the log: it may name hosts. */
function away(part: string, error: unknown, logger: Logger): string {
  logger.warn({ part, err: error }, 'away')
  return 'away'
}

function within(check: Check): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_WITHIN_MS} ms`)), CHECK_WITHIN_MS)
  })
  return Promise.race([check(), late]).finally(() => clearTimeout(timer))
}

const json = (status: number, body: unknown): Response => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
})
