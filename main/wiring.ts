import { systemClock } from '#core/clock.ts'
import type { Domain } from '#domains/domain.ts'
import { assertCollections } from './assert-prepared.ts'
import { config } from './config.ts'
import { openStore } from './log-and-store.ts'
import { secrets } from './secret.ts'
import { telemetry } from './telemetry.ts'

/** The parts that every function needs. The functions of a process share its store, log and metrics. */
export async function wire(domains: Domain[]) {
  const settings = config()
  const store = await openStore(settings)
  await assertCollections(settings, store, domains)
  return {
    ...telemetry(),
    settings,
    store,
    secrets: await secrets(settings),
    clock: systemClock,
    random: Math.random,
  }
}
