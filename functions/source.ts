import { config } from '#adapters/config.ts'
import { EVERYWHERE, startHost } from '#adapters/host/host.ts'
import { openLog } from '#adapters/open.ts'
import { logger } from '#adapters/telemetry/logger.ts'
import { processMetrics } from '#adapters/telemetry/metrics.ts'
import { findDomains } from './find-domains.ts'
import { deadLetterSink, startSources } from './local-sources.ts'
import { untilStopped } from './stop.ts'

/** log --source--> persist: what Knative does in a cluster, in a process of its own. Ends when it is stopped. */

const settings = config()
const [domains, log] = await Promise.all([findDomains(), openLog(settings)])
const host = await startHost({
  port: settings.PORT,
  address: settings.HOST ?? EVERYWHERE,
  maxBodyBytes: settings.MAX_BODY_BYTES,
  checks: { log: () => log.ping() },
  mounts: [deadLetterSink(log)],
})
const stopped = untilStopped()
const starting = startSources({
  domains,
  log,
  persist: settings.PERSIST_URL,
  origin: `http://127.0.0.1:${host.port}`,
  pacing: settings.SOURCE_PACING,
})
processMetrics()
/** Nothing, if it is stopped while it waits for the log. */
const stopSources = await Promise.race([starting, stopped])
if (stopSources) logger.info({ function: 'source', port: host.port, persist: settings.PERSIST_URL }, 'ready')

await stopped
logger.info('stopping')
await stopSources?.()
await host.close()
