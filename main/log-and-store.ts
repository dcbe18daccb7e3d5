import type { EmbeddedFile } from '#adapters/embedded/file.ts'
import type { Log } from '#core/log.ts'
import type { Store } from '#core/store.ts'
import type { Config } from './config.ts'
import { telemetry } from './telemetry.ts'

/** Loads the configured adapters only, so that a cold start pays for one adapter of each port. */

let file: Promise<EmbeddedFile> | undefined
let log: Promise<Log> | undefined
let store: Promise<Store> | undefined
const closers: (() => Promise<void>)[] = []

const openedFile = ({ MILLRACE_DIR }: Config): Promise<EmbeddedFile> => (file ??= openEmbeddedFile(MILLRACE_DIR))

async function openEmbeddedFile(dir: string): Promise<EmbeddedFile> {
  const { openFile } = await import('#adapters/embedded/file.ts')
  const opened = openFile(dir)
  if (opened.diedBefore !== undefined) {
    const taken = `${dir} is taken over from ${opened.diedBefore}, which ended without a stop. Nothing acknowledged is lost.`
    telemetry().logger.info({}, taken)
  }
  return opened
}

/** The log of this process. */
export const openLog = (config: Config): Promise<Log> => (log ??= makeLog(config))

/** The store of this process, behind a circuit breaker. */
export const openStore = (config: Config): Promise<Store> => (store ??= makeStore(config))

/** Adds a function that runs before the log and the store close, in the order of the calls. */
export const onClose = (close: () => Promise<void>): void => void closers.push(close)

/** Closes everything even after an error. Throws the first error at the end. */
export async function closeAll(): Promise<void> {
  const steps = [
    ...closers.splice(0),
    async () => (await log)?.close(),
    async () => (await store)?.close(),
    async () => (await file)?.close(),
  ]
  const errors: unknown[] = []
  for (const step of steps) await step().catch((error) => errors.push(error))
  if (errors.length > 0) throw errors[0]
}

/** Reports a damaged file at the first read, with its name and the remedy. */
async function onFile<Port>(config: Config, make: (file: EmbeddedFile) => Port): Promise<Port> {
  const file = await openedFile(config)
  try {
    return make(file)
  } catch (error) {
    const message = file.describeError(error) ?? file.describeError((error as Error).cause)
    throw message === undefined ? error : new Error(message, { cause: error })
  }
}

async function makeLog(config: Config): Promise<Log> {
  const maxBuffered = config.MAX_IN_FLIGHT
  const { logger, metrics } = telemetry()
  if (config.LOG === 'embedded') {
    const { embeddedLog } = await import('#adapters/log/embedded.ts')
    return onFile(config, (file) => embeddedLog(file, { maxBuffered, metrics }))
  }
  const [{ kafkaLog }, { kafkaSecurity }] = await Promise.all([
    import('#adapters/log/kafka.ts'),
    import('#adapters/log/kafka-security.ts'),
  ])
  const onRetry = (error: unknown) => logger.warn({ err: error }, 'a send to the log is repeated')
  return kafkaLog({
    brokers: config.KAFKA_BROKERS,
    security: kafkaSecurity(config),
    replication: config.KAFKA_REPLICATION,
    maxBuffered,
    onRetry,
    metrics,
  })
}

async function makeStore(config: Config): Promise<Store> {
  const { withBreaker } = await import('#adapters/store/breaker.ts')
  if (config.STORE === 'embedded') {
    const { embeddedStore } = await import('#adapters/store/embedded.ts')
    return await onFile(config, (file) => withBreaker(embeddedStore(file, telemetry().logger)))
  }
  const { mongodbStore } = await import('#adapters/store/mongodb.ts')
  const { MONGODB_URI: uri, MONGODB_DATABASE: database, MONGODB_POOL: poolSize } = config
  return withBreaker(mongodbStore({ uri, database, poolSize, logger: telemetry().logger }))
}
