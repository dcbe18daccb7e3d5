import type { HttpMount } from '#adapters/host/request-handler.ts'
import { systemClock } from '#core/clock.ts'
import { deadLetterSource, deadLetters, sourceOf } from '#core/kafka-source-policy.ts'
import type { Log } from '#core/log.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { untilAvailable } from '#core/until-available.ts'
import type { Domain } from '#domains/domain.ts'
import { kafkaSink } from './kafka-source/kafka-sink.ts'
import { type KafkaSourceSpec, startKafkaSource } from './kafka-source/kafka-source.ts'

export const DEAD_LETTERS_PATH = '/sinks/dead-letters'

/** The KafkaSink of the error topic. */
export const deadLetterSink = (log: Log, telemetry: Telemetry): HttpMount => ({
  kind: 'http',
  name: 'sink',
  paths: [DEAD_LETTERS_PATH],
  serve: kafkaSink(log, deadLetters.name, telemetry),
})

export interface KafkaSourcesOptions extends Telemetry {
  domains: Domain[]
  log: Log
  /** The URL of persist. */
  persist: string
  /** The origin of the server that serves `deadLetterSink`. */
  origin: string
  pacing: NonNullable<KafkaSourceSpec['pacing']>
}

/**
 * Starts a KafkaSource for each domain and for the error topic, and measures their lag. Waits while the log is unavailable.
 * Resolves with a function that stops them all.
 */
export async function startKafkaSources({
  domains,
  log,
  persist,
  origin,
  pacing,
  logger,
  metrics,
}: KafkaSourcesOptions): Promise<() => Promise<void>> {
  const sinks = { persist, deadLetters: origin + DEAD_LETTERS_PATH }
  const specs = [...domains.map((domain) => sourceOf(domain, sinks)), deadLetterSource(sinks)]
  const parts = { log, clock: systemClock, logger }
  const sources = await Promise.all(
    specs.map((spec) => untilAvailable(() => startKafkaSource({ ...spec, pacing }, parts), { logger })),
  )
  metrics.measureLag(() =>
    Promise.all(specs.map(async ({ topic, group }) => ({ topic, lag: await log.lag(topic, group) }))),
  )
  return async () => {
    await Promise.all(sources.map((source) => source.close()))
  }
}
