import { verifier } from '#adapters/auth/verifier.ts'
import { type CallerOf, identifyBy, rolesOf, type Verify } from '#core/access.ts'
import { ungrantedScopes } from '#core/checks/scopes.ts'
import { systemClock } from '#core/clock.ts'
import type { Domain } from '#domains/domain.ts'
import type { Config } from './config.ts'
import { telemetry } from './telemetry.ts'

export type CallerSettings = Pick<
  Config,
  'OIDC_ISSUER' | 'OIDC_URL' | 'OIDC_AUDIENCE' | 'OIDC_ALGORITHMS' | 'ANONYMOUS_SCOPES'
>

/** The warnings that were logged. A reload of domains does not repeat them. */
const warned = new Set<string>()

/** Identifies callers by their bearer token. A caller without one is anonymous. A caller with one has the anonymous scopes too. */
export function callers(settings: CallerSettings, domains: Domain[]): CallerOf {
  for (const warning of ungrantedScopes(domains, settings.ANONYMOUS_SCOPES)) {
    if (!warned.has(warning)) telemetry().logger.warn({}, warning)
    warned.add(warning)
  }
  const verify: Verify | undefined =
    settings.OIDC_ISSUER === undefined
      ? undefined
      : verifier({
          issuer: settings.OIDC_ISSUER,
          url: settings.OIDC_URL,
          audience: settings.OIDC_AUDIENCE,
          algorithms: settings.OIDC_ALGORITHMS,
          scopesOf: rolesOf(domains),
          everybody: settings.ANONYMOUS_SCOPES,
          clock: systemClock,
          logger: telemetry().logger,
        })
  return identifyBy(verify, settings.ANONYMOUS_SCOPES)
}
