import { EVERYWHERE, startHost } from '#adapters/host/host.ts'
import { deadLetterSink, startKafkaSources } from '#local/kafka-sources.ts'
import { config } from './config.ts'
import { findDomains } from './find-domains.ts'
import { openLog } from './log-and-store.ts'
import { waitForStopSignal } from './stop-signal.ts'
import { telemetry } from './telemetry.ts'

/** log --source--> persist: what Knative does in a cluster, in a process of its own. Ends when it is stopped. */

const settings = config()
const { logger, metrics } = telemetry()
const [domains, log] = await Promise.all([findDomains(), openLog(settings)])
const host = await startHost({
  port: settings.PORT,
  address: settings.HOST ?? EVERYWHERE,
  maxBodyBytes: settings.MAX_BODY_BYTES,
  telemetry: telemetry(),
  checks: { log: () => log.ping() },
  mounts: [deadLetterSink(log, telemetry())],
})
const stopped = waitForStopSignal()
const starting = startKafkaSources({
  domains,
  log,
  persist: settings.PERSIST_URL,
  origin: `http://127.0.0.1:${host.port}`,
  pacing: settings.SOURCE_PACING,
  logger,
  metrics,
})
metrics.measureProcess()
/** Nothing, if it is stopped while it waits for the log. */
const stopSources = await Promise.race([starting, stopped])
if (stopSources) logger.info({ function: 'source', port: host.port, persist: settings.PERSIST_URL }, 'ready')

await stopped
logger.info({}, 'stopping')
await stopSources?.()
await host.close()
