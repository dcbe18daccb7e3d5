import { systemClock } from '#adapters/clock.ts'
import type { HttpMount } from '#adapters/host/host.ts'
import type { Log } from '#adapters/log/log.ts'
import { kafkaSink } from '#adapters/source/sink.ts'
import { type SourceSpec, startSource } from '#adapters/source/source.ts'
import { measureLag } from '#adapters/telemetry/metrics.ts'
import type { Domain } from '#domains/domain.ts'
import { deadLetterSource, deadLetters, sourceOf } from './sources.ts'
import { untilAvailable } from './until-available.ts'

export const DEAD_LETTERS_PATH = '/sinks/dead-letters'

/** The KafkaSink on the error topic. */
export const deadLetterSink = (log: Log): HttpMount => ({
  kind: 'http',
  name: 'sink',
  accepts: (_, path) => path === DEAD_LETTERS_PATH,
  serve: kafkaSink(log, deadLetters.name),
})

export interface LocalSources {
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
}: LocalSources): Promise<() => Promise<void>> {
  const sinks = { persist, deadLetters: origin + DEAD_LETTERS_PATH }
  const specs = [...domains.map((domain) => sourceOf(domain, sinks)), deadLetterSource(sinks)]
  const parts = { log, clock: systemClock }
  const sources = await Promise.all(specs.map((spec) => untilAvailable(() => startSource({ ...spec, pacing }, parts))))
  measureLag(() => Promise.all(specs.map(async ({ topic, group }) => ({ topic, lag: await log.lag(topic, group) }))))
  return async () => {
    await Promise.all(sources.map((source) => source.close()))
  }
}
