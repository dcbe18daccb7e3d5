import './node-version.mjs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startHost } from '#adapters/host/host.ts'
import letters from '#core/letters/domain.ts'
import type { Domain } from '#domains/domain.ts'
import { allowedHosts } from '#local/allowed-hosts.ts'
import { issuer, issuerName } from '#local/issuer/issuer.ts'
import { deadLetterSink, kafkaSources } from '#local/kafka-sources.ts'
import { banner } from '#local/workbench/banner.ts'
import { describeImportError } from '#local/workbench/import-error.ts'
import { swappableFunctions } from '#local/workbench/swappable-functions.ts'
import { type TypeChecker, typeChecker } from '#local/workbench/type-checker.ts'
import { callers } from './callers.ts'
import { config, misspelt } from './config.ts'
import { wireFunctions } from './dev-functions.ts'
import { exitOnError, orPortInUse } from './exit-on-error.ts'
import { findDomains } from './find-domains.ts'
import { startMethods } from './grpc.ts'
import { closeAll, openLog, openStore } from './log-and-store.ts'
import { prepare } from './prepare.ts'
import { DOMAINS_FOLDER } from './project.ts'
import { refuseArguments } from './refuse-arguments.ts'
import { reloadsOf } from './reload.ts'
import { tellIfAway } from './servers-away.ts'
import { waitForStopSignal } from './stop-signal.ts'
import { telemetry } from './telemetry.ts'

/**
 * `make dev`: the three functions, a KafkaSource for each domain and the error topic's KafkaSink in one process. It includes an
 * issuer of tokens unless OIDC_ISSUER names another. Changed domains are reloaded.
 */

if (import.meta.main) refuseArguments('npm run dev', process.argv.slice(2))
const settings = config()
const { logger, metrics } = telemetry()
for (const warning of misspelt()) logger.warn({}, warning)
const folder = resolve(fileURLToPath(DOMAINS_FOLDER))
const reloads = reloadsOf(folder)
const found = findDomains().catch((error) => {
  throw new Error(describeImportError(error), { cause: error })
})
const opened = Promise.all([found, openLog(settings), openStore(settings)])
const [domains, log, store] = await opened.catch(exitOnError('not started'))
tellIfAway(settings, { log, store }, logger)
await prepare()

const origin = `http://localhost:${settings.PORT}`
const { OIDC_ISSUER = issuerName(origin) } = settings
const own = issuer({ origin, dir: settings.MILLRACE_DIR, audience: settings.OIDC_AUDIENCE, logger })
const wire = (domains: Domain[]) => wireFunctions(domains, callers({ ...settings, OIDC_ISSUER }, domains))
const functions = swappableFunctions(await wire(domains))

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
    functions.persist,
    deadLetterSink(log, telemetry()),
    ...(settings.OIDC_ISSUER ? [] : [own]),
    functions.query,
    functions.publish,
  ],
})
  .catch(orPortInUse('PORT', settings.PORT))
  .catch(exitOnError('not started'))

const grpc = await startMethods(functions.methods, { port: settings.GRPC_PORT, address, refusal })
  .catch(orPortInUse('GRPC_PORT', settings.GRPC_PORT))
  .catch(exitOnError('not started'))

const self = `http://127.0.0.1:${host.port}`
const { SOURCE_PACING: pacing, MAX_BODY_BYTES: maxBodyBytes } = settings
/** The embedded store commits a batch in one turn of the event loop, and requests wait for it. A commit to MongoDB blocks nothing. */
const inFlight = settings.STORE === 'embedded' ? 32 : Number.POSITIVE_INFINITY
const direct = { mount: functions.persist, maxBodyBytes, inFlight }
const sources = kafkaSources({ log, persist: `${self}/persist`, direct, origin: self, pacing, logger, metrics })
await sources.start(domains)
let types: TypeChecker | undefined
reloads.start(domains, { functions, sources, logger, wire, onChange: () => types?.check() })
metrics.measureProcess()

const stopped = waitForStopSignal()
process.stdout.write(
  banner({
    port: host.port,
    grpcPort: grpc.port,
    log: settings.LOG,
    store: settings.STORE,
    dir: settings.MILLRACE_DIR,
    hasIssuer: !settings.OIDC_ISSUER,
    domains: domains.filter((domain) => domain !== letters),
    anonymousScopes: settings.ANONYMOUS_SCOPES,
  }),
)

types = startTypes()
await stopped
logger.info({}, 'stopping')
reloads.close()
types?.close()
await sources.close()
await Promise.all([host.close(), grpc.close()])
await functions.close()
await closeAll()
process.exit(0)

function startTypes(): TypeChecker | undefined {
  const { TYPES: wanted = process.stdout.isTTY ? 'on' : 'off', MILLRACE_DIR } = settings
  if (wanted === 'off') return undefined
  return typeChecker({ folder, project: dirname(folder), dir: join(MILLRACE_DIR, 'types'), logger })
}
