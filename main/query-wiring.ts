import { type HttpFunction, httpFunction } from '#adapters/host/http.ts'
import type { CallerOf } from '#core/access.ts'
import { retaining } from '#core/registry.ts'
import type { Domain } from '#domains/domain.ts'
import { descriptions } from '#functions/describe/descriptions.ts'
import { querier } from '#functions/query/querier.ts'
import { config } from './config.ts'
import { wireRequests } from './request-wiring.ts'

/** query over HTTP for these domains. */
export async function wireQuery(declared: Domain[], callerOf?: CallerOf): Promise<HttpFunction> {
  const settings = config()
  const domains = retaining(declared, settings.RETENTION_DAYS)
  const wired = await wireRequests(domains, callerOf)
  const faults = settings.FAULT_ROUTES === 'on'
  const anonymousScopes = new Set(settings.ANONYMOUS_SCOPES)
  return httpFunction(
    querier({ ...wired, faults, descriptions: descriptions({ domains, faults, anonymousScopes }) }),
    wired,
  )
}
