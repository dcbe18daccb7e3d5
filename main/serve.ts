import './node-version.mjs'
import { EVERYWHERE, startHost } from '#adapters/host/host.ts'
import type { Check } from '#adapters/host/probes.ts'
import type { Mount } from '#adapters/host/request-handler.ts'
import { MINUTE_MS } from '#core/clock.ts'
import { config } from './config.ts'
import { exitOnError } from './exit-on-error.ts'
import { closeAll, openLog, openStore } from './log-and-store.ts'
import { prepare } from './prepare.ts'
import { waitForStopSignal } from './stop-signal.ts'
import { telemetry } from './telemetry.ts'

/** The entry point of the image. FUNCTION_TARGET selects a function on the host, prepare, or the local KafkaSource. */

const settings = config()
const { logger, metrics } = telemetry()
/** A Job that fails is seen to fail, and is started again by the platform. */
const PREPARE_WITHIN_MS = MINUTE_MS
const { FUNCTION_TARGET: target } = settings
switch (target) {
  case undefined:
    throw new Error('FUNCTION_TARGET is not set')
  case 'prepare':
    await prepare(PREPARE_WITHIN_MS).catch(exitOnError('not prepared'))
    break
  case 'source':
    await import('./source.ts')
    break
  case 'grpc':
    await serveGrpc()
    break
  default:
    await serve(target)
}
await closeAll()
process.exit(0)

async function serve(target: 'publish' | 'persist' | 'query'): Promise<void> {
  const host = await startHost({
    port: settings.PORT,
    address: settings.HOST ?? EVERYWHERE,
    maxBodyBytes: settings.MAX_BODY_BYTES,
    telemetry: telemetry(),
    mounts: [await mountOf(target).catch(exitOnError('not started'))],
    checks: checksOf(target),
  })
  metrics.measureProcess()
  const stopped = waitForStopSignal()
  logger.info({ function: target, port: host.port }, 'ready')
  await stopped
  await host.close()
}

/** Knative gives a container one port, which speaks gRPC only, so metrics and probes have a port of their own. */
async function serveGrpc(): Promise<void> {
  const { startPublish } = await import('./grpc.ts')
  const grpc = await startPublish(settings.PORT, settings.HOST ?? EVERYWHERE).catch(exitOnError('not started'))
  const host = await startHost({
    port: settings.METRICS_PORT,
    address: settings.HOST ?? EVERYWHERE,
    maxBodyBytes: settings.MAX_BODY_BYTES,
    telemetry: telemetry(),
    mounts: [],
    checks: checksOf('publish'),
  })
  metrics.measureProcess()
  const stopped = waitForStopSignal()
  logger.info({ function: 'publish', port: grpc.port, metrics: host.port }, 'ready')
  await stopped
  await Promise.all([grpc.close(), host.close()])
}

function checksOf(target: 'publish' | 'persist' | 'query'): Record<string, Check> {
  return {
    ...(target === 'publish' ? { log: async () => (await openLog(settings)).ping() } : {}),
    store: async () => (await openStore(settings)).ping(),
  }
}

async function mountOf(target: 'publish' | 'persist' | 'query'): Promise<Mount> {
  switch (target) {
    case 'publish': {
      const { publish, maxBodyBytes } = await import('#functions/publish/index.ts')
      return { kind: 'http', name: target, maxBodyBytes, serve: publish }
    }
    case 'persist':
      return {
        kind: 'cloudevent',
        name: target,
        path: '/',
        serve: (await import('#functions/persist/index.ts')).persist,
      }
    case 'query':
      return {
        kind: 'http',
        name: target,
        serve: (await import('#functions/query/index.ts')).query,
      }
    default:
      return target satisfies never
  }
}
