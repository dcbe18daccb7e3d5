import { systemClock } from '#adapters/clock.ts'
import { config } from '#adapters/config.ts'
import { openLog, openStore } from '#adapters/open.ts'
import { secrets } from '#adapters/secret.ts'
import { openCallers } from '../callers.ts'
import { findDomains } from '../find-domains.ts'
import { addresses } from '../receipts.ts'
import { seals } from '../seals.ts'
import { waiting } from '../waiting.ts'
import { type SubmitParts, submitter } from './submit.ts'
import { welcoming } from './welcome.ts'

/** What the ways into this process share: a command that is repeated is the same one whichever it comes. */

const settings = config()
const shared = await secrets(settings)
export const domains = await findDomains()

export const callerOf = openCallers(settings, domains)

export const parts: SubmitParts = {
  log: await openLog(settings),
  addresses: addresses(...shared),
  seals: seals(shared),
  waiting: waiting(await openStore(settings), domains, systemClock),
  clock: systemClock,
}

export const submit = welcoming(domains, submitter(parts))
