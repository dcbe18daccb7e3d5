import { retaining } from '#core/registry.ts'
import { seals } from '#core/seals.ts'
import type { Domain } from '#domains/domain.ts'
import { type Persister, persister } from '#functions/persist/persister.ts'
import { type Run, startRun } from '#functions/persist/run.ts'
import { wire } from './wiring.ts'

let run: Run | undefined

/** persist for these domains. All that a process makes share one run, since they crash together. */
export async function wirePersist(domains: Domain[]): Promise<Persister> {
  const { settings, secrets, ...wired } = await wire(domains)
  run ??= startRun(settings.INSTANCE, wired)
  return persister({
    ...wired,
    domains: retaining(domains, settings.RETENTION_DAYS),
    instance: settings.INSTANCE,
    run,
    maxInFlight: settings.MAX_IN_FLIGHT,
    trust: { seals: seals(secrets), unsealed: settings.UNSEALED },
  })
}
