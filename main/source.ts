import { EVERYWHERE, startHost } from '#adapters/host/host.ts'
import { deadLetterSink, kafkaSources } from '#local/kafka-sources.ts'
import { config } from './config.ts'
import { findDomains } from './find-domains.ts'
import { openLog } from './log-and-store.ts'
import { waitForStopSignal } from './stop-signal.ts'
import { telemetry } from './telemetry.ts'

/** log --source--> persist: the local KafkaSources in a process of their own. In a cluster Knative has this part. */

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
const sources = kafkaSources({
  log,
  persist: settings.PERSIST_URL,
  origin: `http://127.0.0.1:${host.port}`,
  pacing: settings.SOURCE_PACING,
  logger,
  metrics,
})
metrics.measureProcess()
const isStarted = await Promise.race([sources.start(domains).then(() => true), stopped])
if (isStarted) logger.info({ function: 'source', port: host.port, persist: settings.PERSIST_URL }, 'ready')

await stopped
logger.info({}, 'stopping')
await sources.close()
await host.close()
