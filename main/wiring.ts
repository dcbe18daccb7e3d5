import { systemClock } from '#core/clock.ts'
import { config } from './config.ts'
import { openStore } from './log-and-store.ts'
import { secrets } from './secret.ts'
import { telemetry } from './telemetry.ts'

/** The parts that every function needs. The functions of a process share its store, log and metrics. */
export async function wire() {
  const settings = config()
  return {
    ...telemetry(),
    settings,
    store: await openStore(settings),
    secrets: await secrets(settings),
    clock: systemClock,
    random: Math.random,
  }
}
