import type { Log } from '#core/log.ts'
import type { Store } from '#core/store.ts'
import type { Logger } from '#core/telemetry.ts'
import type { Config } from './config.ts'

/**
 * Says which server is away, where it is looked for, and how to start it. make dev waits for it, as every process does: it starts
 * as soon as the server does.
 */
export function tellIfAway(settings: Config, { log, store }: { log: Log; store: Store }, logger: Logger): void {
  const tell = (server: string, at: string, setting: string) => () =>
    logger.warn(
      {},
      `${server} does not answer at ${at}. Start it with make services, or set ${setting}. make dev waits for it.`,
    )
  if (settings.LOG === 'kafka') {
    log.ping().catch(tell('Kafka', settings.KAFKA_BROKERS.join(', '), 'KAFKA_BROKERS'))
  }
  if (settings.STORE === 'mongodb') {
    store.ping().catch(tell('MongoDB', hostsIn(settings.MONGODB_URI), 'MONGODB_URI'))
  }
}

/** The hosts of a connection string, without the password before them. */
const hostsIn = (uri: string): string => uri.replace(/^[^:]+:\/\/(?:.*@)?/, '').replace(/[/?].*$/, '')
