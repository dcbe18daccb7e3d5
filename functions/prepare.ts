import { config } from '#adapters/config.ts'
import { openLog, openStore } from '#adapters/open.ts'
import { collections } from './collections.ts'
import { retaining } from './domains.ts'
import { findDomains } from './find-domains.ts'
import { topics } from './sources.ts'
import { untilAvailable } from './until-available.ts'

/**
 * Makes topics, collections and indexes. Safe to repeat; says what is wrong with those that are there. Waits for a log or a
 * store that is away, for `withinMs` at most.
 */
export async function prepare(withinMs?: number): Promise<void> {
  const settings = config()
  const domains = retaining(await findDomains(), settings.RETENTION_DAYS)
  const [log, store] = await Promise.all([openLog(settings), openStore(settings)])
  const wait = withinMs === undefined ? {} : { withinMs }
  await Promise.all([
    untilAvailable(() => log.ensure(topics(domains)), wait),
    untilAvailable(() => store.prepare(collections(domains)), wait),
  ])
}
