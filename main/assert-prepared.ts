import { collections } from '#core/collections.ts'
import { topics } from '#core/kafka-source-policy.ts'
import type { Log } from '#core/log.ts'
import type { Store } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Domain } from '#domains/domain.ts'
import type { Config } from './config.ts'

type Settings = Pick<Config, 'LOG' | 'STORE' | 'MILLRACE_DIR'>

/**
 * An embedded file without the topics and collections of the domains stops the start: no other process can prepare it while this one has
 * it. Servers may be prepared later, and MongoDB needs no collections.
 */
export async function assertTopics(settings: Settings, log: Pick<Log, 'lag'>, domains: Domain[]): Promise<void> {
  if (settings.LOG !== 'embedded') return
  for (const { name } of topics(domains)) await log.lag(name, '').catch(notPrepared(settings))
}

export async function assertCollections(
  settings: Settings,
  store: Pick<Store, 'get'>,
  domains: Domain[],
): Promise<void> {
  if (settings.STORE !== 'embedded') return
  for (const collection of collections(domains)) await store.get(collection, []).catch(notPrepared(settings))
}

/** Ignores an outage of the file, since it passes. */
const notPrepared = ({ MILLRACE_DIR }: Settings) => {
  return (cause: unknown): void => {
    if (cause instanceof Unavailable) return
    const { message } = cause as Error
    const remedy = 'Run the same command with FUNCTION_TARGET=prepare first.'
    throw new Error(`The embedded file in ${MILLRACE_DIR} is not prepared: ${message}. ${remedy}`, { cause })
  }
}
