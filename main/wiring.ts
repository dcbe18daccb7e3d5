import { systemClock } from '#core/clock.ts'
import { addresses } from '#core/receipts.ts'
import { retaining } from '#core/registry.ts'
import { seals } from '#core/seals.ts'
import { waiting } from '#core/waiting.ts'
import { openCallers } from './callers.ts'
import { config } from './config.ts'
import { findDomains } from './find-domains.ts'
import { openStore } from './open.ts'
import { secrets } from './secret.ts'
import { telemetry } from './telemetry.ts'

type Wiring = Awaited<ReturnType<typeof wire>>

let wired: Promise<Wiring> | undefined

/** What the functions of this process share: settings, domains, store, clock, telemetry, callers, secrets. */
export const wiring = (): Promise<Wiring> => (wired ??= wire())

async function wire() {
  const settings = config()
  const domains = retaining(await findDomains(), settings.RETENTION_DAYS)
  const shared = await secrets(settings)
  const store = await openStore(settings)
  const clock = systemClock
  return {
    ...telemetry(),
    settings,
    domains,
    store,
    clock,
    random: Math.random,
    callerOf: openCallers(settings, domains),
    addresses: addresses(...shared),
    seals: seals(shared),
    waiting: waiting(store, domains, clock),
  }
}
