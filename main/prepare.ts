import { collections } from '#core/collections.ts'
import { topics } from '#core/kafka-source-policy.ts'
import { retaining } from '#core/registry.ts'
import { untilAvailable } from '#core/until-available.ts'
import type { Domain } from '#domains/domain.ts'
import { config } from './config.ts'
import { findDomains } from './find-domains.ts'
import { openLog, openStore } from './log-and-store.ts'
import { telemetry } from './telemetry.ts'

/**
 * Makes topics, collections and indexes. Safe to repeat. Throws the differences of existing topics. Waits while the log or the
 * store is unavailable, for at most `withinMs`.
 */
export const prepare = async (withinMs?: number): Promise<void> => prepareDomains(await findDomains(), withinMs)

export async function prepareDomains(declared: Domain[], withinMs?: number): Promise<void> {
  const settings = config()
  const domains = retaining(declared, settings.RETENTION_DAYS)
  const [log, store] = await Promise.all([openLog(settings), openStore(settings)])
  const wait = { logger: telemetry().logger, withinMs }
  await Promise.all([
    untilAvailable(() => log.ensure(topics(domains)), wait),
    untilAvailable(() => store.prepare(collections(domains)), wait),
  ])
}
