import { cloudEvent } from '@google-cloud/functions-framework'
import { systemClock } from '#adapters/clock.ts'
import { config } from '#adapters/config.ts'
import type { Event, Outcome } from '#adapters/event.ts'
import { decodedOf } from '#adapters/host/cloudevent.ts'
import { onClose, openStore } from '#adapters/open.ts'
import { secrets } from '#adapters/secret.ts'
import { batchSize, queueLatency } from '#adapters/telemetry/metrics.ts'
import { retaining } from '../domains.ts'
import { findDomains } from '../find-domains.ts'
import { seals } from '../seals.ts'
import { persister } from './persister.ts'

const settings = config()

const { persist: apply, close } = persister({
  domains: retaining(await findDomains(), settings.RETENTION_DAYS),
  store: await openStore(settings),
  clock: systemClock,
  instance: settings.INSTANCE,
  maxInFlight: settings.MAX_IN_FLIGHT,
  trust: { seals: seals(await secrets(settings)), unsealed: settings.UNSEALED },
  onBatch: (topic, size) => batchSize('persist', topic, size),
  onApplied: queueLatency,
})
onClose(close)

/** log --KafkaSource--> persist --> store. Our host answers with the outcome's status. */
export const persist = apply

/**
 * The bare framework knows only done (2xx) and failed (500): a kept letter is done, the rest must be retried. It leaves
 * attributes percent-encoded.
 */
cloudEvent('persist', async (event: unknown) => {
  const outcome: Outcome = await apply(decodedOf(event as Event))
  if (outcome.status !== 204 && outcome.status !== 422) throw new Error(`${outcome.status}: ${outcome.detail}`)
})
