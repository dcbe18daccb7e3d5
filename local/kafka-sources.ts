import { isDeepStrictEqual } from 'node:util'
import type { HttpMount } from '#adapters/host/request-handler.ts'
import { systemClock } from '#core/clock.ts'
import { deadLetterSource, deadLetters, sourceOf } from '#core/kafka-source-policy.ts'
import type { Log } from '#core/log.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { untilAvailable } from '#core/until-available.ts'
import type { Domain } from '#domains/domain.ts'
import { directClient, type LocalFunction } from './direct-client.ts'
import { type HttpClient, httpClient } from './kafka-source/http-client.ts'
import { kafkaSink } from './kafka-source/kafka-sink.ts'
import { type KafkaSource, type KafkaSourceSpec, startKafkaSource } from './kafka-source/kafka-source.ts'
import { toRetryPolicy } from './kafka-source/retry-policy.ts'

export const DEAD_LETTERS_PATH = '/sinks/dead-letters'

/** The KafkaSink of the error topic. */
export const deadLetterSink = (log: Log, telemetry: Telemetry): HttpMount => ({
  kind: 'http',
  name: 'sink',
  paths: [DEAD_LETTERS_PATH],
  serve: kafkaSink(log, deadLetters.name, telemetry),
})

export interface KafkaSourcesOptions extends Telemetry {
  log: Log
  /** The URL of persist. */
  persist: string
  /** The origin of the server that serves `deadLetterSink`. */
  origin: string
  pacing: NonNullable<KafkaSourceSpec['pacing']>
  /** persist itself, where it runs in this process. Each KafkaSource passes its deliveries to it. */
  direct?: LocalFunction
}

/** The KafkaSources of a process: one for each domain, and one for the error topic. */
export interface KafkaSources {
  /** Starts those that are missing. Waits while the log is unavailable. */
  start(domains: Domain[]): Promise<void>
  /** Stops those that these domains do not have. */
  stopOthers(domains: Domain[]): Promise<void>
  close(): Promise<void>
}

/** The KafkaSources, none of which has started. Their lag is measured. */
export function kafkaSources(options: KafkaSourcesOptions): KafkaSources {
  const { log, persist, origin, pacing, direct, logger, metrics } = options
  const sinks = { persist, deadLetters: origin + DEAD_LETTERS_PATH }
  const started: { spec: KafkaSourceSpec; source: KafkaSource }[] = []
  const clientOf = ({ delivery }: KafkaSourceSpec): HttpClient => {
    const { timeoutMs } = toRetryPolicy(delivery)
    const overHttp = httpClient(systemClock, { timeoutMs })
    if (!direct) return overHttp
    const sink = { ...direct, url: persist, telemetry: { logger, metrics } }
    return directClient(sink, { clock: systemClock, timeoutMs, overHttp })
  }
  const specsOf = (domains: Domain[]): KafkaSourceSpec[] =>
    [...domains.map((domain) => sourceOf(domain, sinks)), deadLetterSource(sinks)].map((spec) => ({ ...spec, pacing }))
  const isIn = (specs: KafkaSourceSpec[], spec: KafkaSourceSpec) => specs.some((one) => isDeepStrictEqual(one, spec))

  const specsStarted = () => started.map(({ spec }) => spec)

  async function stop(stopped: typeof started): Promise<void> {
    for (const one of stopped) started.splice(started.indexOf(one), 1)
    await Promise.all(stopped.map(({ source }) => source.close()))
  }

  metrics.measureLag(() =>
    Promise.all(started.map(async ({ spec: { topic, group } }) => ({ topic, lag: await log.lag(topic, group) }))),
  )
  return {
    async start(domains) {
      const missing = specsOf(domains).filter((spec) => !isIn(specsStarted(), spec))
      await Promise.all(
        missing.map(async (spec) => {
          const source = await untilAvailable(
            () => startKafkaSource(spec, { log, clock: systemClock, logger, httpClient: clientOf(spec) }),
            { logger },
          )
          started.push({ spec, source })
        }),
      )
    },
    async stopOthers(domains) {
      const specs = specsOf(domains)
      await stop(started.filter(({ spec }) => !isIn(specs, spec)))
    },
    close: () => stop([...started]),
  }
}
