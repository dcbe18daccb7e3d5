import { http } from '@google-cloud/functions-framework'
import { systemClock } from '#adapters/clock.ts'
import { config } from '#adapters/config.ts'
import { guarded } from '#adapters/host/framework.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { openStore } from '#adapters/open.ts'
import { secrets } from '#adapters/secret.ts'
import { openCallers } from '../callers.ts'
import { retaining } from '../domains.ts'
import { findDomains } from '../find-domains.ts'
import { addresses } from '../receipts.ts'
import { waiting } from '../waiting.ts'
import { querier } from './querier.ts'

const settings = config()
const domains = retaining(await findDomains(), settings.RETENTION_DAYS)
const store = await openStore(settings)

/** store --> query --HTTP--> client */
export const query = httpFunction(
  querier({
    domains,
    callerOf: openCallers(settings, domains),
    store,
    addresses: addresses(...(await secrets(settings))),
    waiting: waiting(store, domains, systemClock),
    clock: systemClock,
    faults: settings.FAULT_ROUTES === 'on',
  }),
)

http(
  'query',
  guarded(query, () => settings.MAX_BODY_BYTES),
)
