import { systemClock } from '#adapters/clock.ts'
import { config } from '#adapters/config.ts'
import { startHost } from '#adapters/host/host.ts'
import { httpFunction } from '#adapters/host/http.ts'
import { callers } from '#functions/callers.ts'
import { findDomains } from '#functions/find-domains.ts'
import { publisher } from '#functions/publish/publisher.ts'
import { addresses } from '#functions/receipts.ts'

/** publish on our host with a log that forgets at once: what publish costs itself. The rest of row b is the log's. */
const domains = await findDomains()
const publish = publisher({
  domains,
  callerOf: callers(config(), domains),
  log: { append: async () => ({ partition: 0, offset: 0 }) },
  addresses: addresses('of a benchmark, thirty-two characters'),
  waiting: { wait: async () => ({ status: 'pending' }) },
  clock: systemClock,
})

await startHost({
  port: Number(process.env.PORT),
  address: '127.0.0.1',
  maxBodyBytes: 1_048_576,
  mounts: [{ kind: 'http', name: 'publish', accepts: () => true, serve: httpFunction(publish) }],
  checks: {},
})
