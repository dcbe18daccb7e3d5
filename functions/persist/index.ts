import { cloudEvent } from '@google-cloud/functions-framework'
import { decodeAttributes } from '#core/cloudevent.ts'
import type { Delivery, Outcome } from '#core/delivery.ts'
import { findDomains } from '#main/find-domains.ts'
import { onClose } from '#main/log-and-store.ts'
import { wirePersist } from '#main/persist-wiring.ts'

const { persist: apply, close } = await wirePersist(await findDomains())
onClose(close)

/** log --KafkaSource--> persist --> store. Our host answers with the outcome's status. */
export const persist = apply

/**
 * The bare framework knows only done (2xx) and failed (500): a kept letter is done, the rest must be retried. It leaves
 * attributes percent-encoded.
 */
cloudEvent('persist', async (event: unknown) => {
  const outcome: Outcome = await apply(decodeAttributes(event as Delivery))
  if (outcome.status !== 204 && outcome.status !== 422) throw new Error(`${outcome.status}: ${outcome.detail}`)
})
