import { http } from '@google-cloud/functions-framework'
import { withRequestChecks } from '#adapters/host/functions-framework.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { retaining } from '#core/registry.ts'
import { config } from '#main/config.ts'
import { findDomains } from '#main/find-domains.ts'
import { wireRequests } from '#main/request-wiring.ts'
import { descriptions } from '../describe/descriptions.ts'
import { querier } from './querier.ts'

const settings = config()
const domains = retaining(await findDomains(), settings.RETENTION_DAYS)
const wired = await wireRequests(domains)
const faults = settings.FAULT_ROUTES === 'on'
const anonymousScopes = new Set(settings.ANONYMOUS_SCOPES)

/** store --> query --HTTP--> client */
export const query = httpFunction(
  querier({ ...wired, faults, descriptions: descriptions({ domains, faults, anonymousScopes }) }),
  wired,
)

http(
  'query',
  withRequestChecks(query, () => settings.MAX_BODY_BYTES, wired),
)
