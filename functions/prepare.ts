import { config } from '#adapters/config.ts'
import { openLog, openStore } from '#adapters/open.ts'
import { collections } from './collections.ts'
import { retaining } from './domains.ts'
import { findDomains } from './find-domains.ts'
import { topics } from './sources.ts'

/** Makes topics, collections and indexes. Safe to repeat; says what is wrong with those that are there. */
export async function prepare(): Promise<void> {
  const settings = config()
  const domains = retaining(await findDomains(), settings.RETENTION_DAYS)
  const [log, store] = await Promise.all([openLog(settings), openStore(settings)])
  await Promise.all([log.ensure(topics(domains)), store.prepare(collections(domains))])
}
