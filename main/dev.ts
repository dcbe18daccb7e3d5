import './node-version.mjs'
import { startHost } from '#adapters/host/host.ts'
import { allowedHosts } from '#local/allowed-hosts.ts'
import { issuer, issuerName } from '#local/issuer/issuer.ts'
import { deadLetterSink, startKafkaSources } from '#local/kafka-sources.ts'
import { openCallers } from './callers.ts'
import { config, misspelt } from './config.ts'
import { exitOnError, orPortInUse } from './exit-on-error.ts'
import { findDomains } from './find-domains.ts'
import { closeAll, openLog, openStore } from './log-and-store.ts'
import { prepare } from './prepare.ts'
import { waitForStopSignal } from './stop-signal.ts'
import { telemetry } from './telemetry.ts'

/**
 * `make dev`: the three functions, a KafkaSource for each domain and the error topic's KafkaSink in one process. It includes an
 * issuer of tokens unless OIDC_ISSUER names another.
 */

const settings = config()
const { logger, metrics } = telemetry()
for (const warning of misspelt()) logger.warn({}, warning)
const opened = Promise.all([findDomains(), openLog(settings), openStore(settings)])
const [domains, log, store] = await opened.catch(exitOnError('not started'))
await prepare()

const origin = `http://localhost:${settings.PORT}`
const { OIDC_ISSUER = issuerName(origin) } = settings
openCallers({ ...settings, OIDC_ISSUER }, domains)
const own = issuer({ origin, dir: settings.MILLRACE_DIR, audience: settings.OIDC_AUDIENCE, logger })

const [{ publish, maxBodyBytes }, { startPublish }, { persist }, { query }] = await Promise.all([
  import('#functions/publish/index.ts'),
  import('./grpc.ts'),
  import('#functions/persist/index.ts'),
  import('#functions/query/index.ts'),
])

/** The issuer and persist trust every caller, so it serves this machine only unless HOST or ALLOWED_HOSTS say otherwise. */
const { HOST: address = '127.0.0.1', ALLOWED_HOSTS: more } = settings
const { check: admit, refusal } = allowedHosts({ address, more })

const host = await startHost({
  port: settings.PORT,
  address,
  maxBodyBytes: settings.MAX_BODY_BYTES,
  telemetry: telemetry(),
  admit,
  checks: { log: () => log.ping(), store: () => store.ping() },
  mounts: [
    { kind: 'cloudevent', name: 'persist', path: '/persist', serve: persist },
    deadLetterSink(log, telemetry()),
    ...(settings.OIDC_ISSUER ? [] : [own]),
    { kind: 'http', name: 'query', methods: ['GET', 'HEAD'], serve: query },
    { kind: 'http', name: 'publish', maxBodyBytes, serve: publish },
  ],
})
  .catch(orPortInUse('PORT', settings.PORT))
  .catch(exitOnError('not started'))

const grpc = await startPublish(settings.GRPC_PORT, address, refusal)
  .catch(orPortInUse('GRPC_PORT', settings.GRPC_PORT))
  .catch(exitOnError('not started'))

const self = `http://127.0.0.1:${host.port}`
const pacing = settings.SOURCE_PACING
const stopSources = await startKafkaSources({
  domains,
  log,
  persist: `${self}/persist`,
  origin: self,
  pacing,
  logger,
  metrics,
})
metrics.measureProcess()

const stopped = waitForStopSignal()
process.stdout.write(`
Millrace is ready at http://localhost:${host.port} (log: ${settings.LOG}, store: ${settings.STORE}). Try:
  curl -i localhost:${host.port}/api/tutorials -H 'content-type: application/json' -H 'prefer: wait=5' -d '{"title":"Learn to mill"}'
  curl localhost:${host.port}/api/tutorials
  curl localhost:${host.port}/health/deep
  http://localhost:${host.port}/docs${settings.OIDC_ISSUER ? '' : ` with a token of http://localhost:${host.port}/oidc`}
  grpcurl -plaintext -d '{"firstNumber":2,"secondNumber":3}' localhost:${grpc.port} SumService/AddNumbers

`)

await stopped
logger.info({}, 'stopping')
await stopSources()
await Promise.all([host.close(), grpc.close()])
await closeAll()
process.exit(0)
