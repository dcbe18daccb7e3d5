import { http } from '@google-cloud/functions-framework'
import { systemClock } from '#adapters/clock.ts'
import { config } from '#adapters/config.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { openLog, openStore } from '#adapters/open.ts'
import { receiptSecret } from '#adapters/secret.ts'
import { findDomains } from '../find-domains.ts'
import { addresses } from '../receipts.ts'
import { waiting } from '../waiting.ts'
import { publisher } from './publisher.ts'

const settings = config()
const domains = await findDomains()

/** client --HTTP--> publish --CloudEvent--> log */
export const publish = httpFunction(
  publisher({
    domains,
    log: await openLog(settings),
    addresses: addresses(await receiptSecret(settings)),
    waiting: waiting(await openStore(settings), domains, systemClock),
    clock: systemClock,
  }),
)

http('publish', publish)
