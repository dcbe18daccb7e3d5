import type { HttpMount } from '#adapters/host/mounts.ts'
import { systemClock } from '#core/clock.ts'
import { deadLetterSource, deadLetters, sourceOf } from '#core/kafka-source-policy.ts'
import type { Log } from '#core/log.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { untilAvailable } from '#core/until-available.ts'
import type { Domain } from '#domains/domain.ts'
import { kafkaSink } from './kafka-source/sink.ts'
import { type SourceSpec, startSource } from './kafka-source/source.ts'

export const DEAD_LETTERS_PATH = '/sinks/dead-letters'

/** The KafkaSink on the error topic. */
export const deadLetterSink = (log: Log, telemetry: Telemetry): HttpMount => ({
  kind: 'http',
  name: 'sink',
  accepts: (_, path) => path === DEAD_LETTERS_PATH,
  serve: kafkaSink(log, deadLetters.name, telemetry),
})

export interface LocalSources extends Telemetry {
  domains: Domain[]
  log: Log
  /** Where persist listens. */
  persist: string
  /** Where `deadLetterSink` is served. */
  origin: string
  pacing: NonNullable<SourceSpec['pacing']>
}

/**
 * Every KafkaSource, the one of the error topic too, where there is no Knative; their lag is a metric. A log
 * that is away is waited for. Resolves with what stops them.
 */
export async function startSources({
  domains,
  log,
  persist,
  origin,
  pacing,
  logger,
  metrics,
}: LocalSources): Promise<() => Promise<void>> {
  const sinks = { persist, deadLetters: origin + DEAD_LETTERS_PATH }
  const specs = [...domains.map((domain) => sourceOf(domain, sinks)), deadLetterSource(sinks)]
  const parts = { log, clock: systemClock, logger }
  const sources = await Promise.all(
    specs.map((spec) => untilAvailable(() => startSource({ ...spec, pacing }, parts), { logger })),
  )
  metrics.measureLag(() =>
    Promise.all(specs.map(async ({ topic, group }) => ({ topic, lag: await log.lag(topic, group) }))),
  )
  return async () => {
    await Promise.all(sources.map((source) => source.close()))
  }
}
