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

let opened: CallerOf | undefined

/** The callers of this process. Its functions share them, so a token that one function has verified is known to all. */
export const openCallers = (settings: CallerSettings, domains: Domain[]): CallerOf =>
  (opened ??= callers(settings, domains))

/** Identifies callers by their bearer token. A caller without one is anonymous. A caller with one has the anonymous scopes too. */
export function callers(settings: CallerSettings, domains: Domain[]): CallerOf {
  for (const warning of ungrantedScopes(domains, settings.ANONYMOUS_SCOPES)) telemetry().logger.warn({}, warning)
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
