import { deadLetterSource, deadLetters, sourceOf } from '#core/kafka-source-policy.ts'
import type { NewRecord } from '#core/log.ts'
import type { Domain } from '#domains/domain.ts'
import type { HttpClient } from '#local/kafka-source/http-client.ts'
import { startKafkaSource } from '#local/kafka-source/kafka-source.ts'
import type { CloudEventRequest } from '#local/kafka-source/record-to-request.ts'
import { quiet } from '../telemetry.ts'
import { simulatedLog } from './log.ts'
import type { Processes } from './processes.ts'
import type { Surroundings } from './surroundings.ts'
import type { Life } from './world.ts'

export interface Sources {
  /** Begins where the one before has committed. That one is gone, and its count of attempts with it, but not what it has posted. */
  rebalance(at: number): Promise<void>
  /** Whether every record of every topic is delivered, and that is committed. */
  areDrained(): boolean
}

const SINKS = { persist: 'http://persist/', deadLetters: 'http://dead-letters/' }
/** As the KafkaSources say it. */
const TIMEOUT_MS = 60_000
const NOTHING = Buffer.alloc(0)

/** The stand-in for KafkaSource, as it is, between the simulated log and the processes of persist. */
export async function startSources(
  { world, weather, seen, topics, born, toLog }: Surroundings,
  domains: Domain[],
  { deliver }: Processes,
  isImpatient: boolean,
): Promise<Sources> {
  const specs = [...domains.map((domain) => sourceOf(domain, SINKS)), deadLetterSource(SINKS)].map((spec) =>
    isImpatient && spec.ordering === 'unordered' && spec.topic !== deadLetters.name
      ? { ...spec, delivery: { ...spec.delivery, retry: 3 } }
      : spec,
  )
  const lives = new Map<string, Life>()

  async function toPersist({ io, random }: Life, posting: CloudEventRequest): Promise<number | undefined> {
    const answer = await io(() => ({ status: deliver(posting, random()) }))
    const status = await answer.status
    if (status !== undefined) seen.count(`answer ${status}`)
    return await io(() => {
      const isLost = random() < 0.5 && weather.is('answers lost')
      return isLost ? seen.count('answers lost', undefined) : status
    })
  }

  const toSink = ({ io }: Life, posting: CloudEventRequest): Promise<number> =>
    io(() => {
      // A source that gives up on its sink too has lost the record: so are KafkaSources.
      if (weather.is('sink away') && !isImpatient) return seen.count('sink away', 503)
      if (posting.headers['ce-knativeerrorcode'] !== '422') seen.count('given up by a source')
      topics.append(deadLetters.name, recordOf(posting), world.now())
      return seen.count('dead letter', 202)
    })

  const posterOf = (life: Life): HttpClient => ({
    async post(url, posting) {
      const { promise: late, resolve } = Promise.withResolvers<undefined>()
      const inTime = world.later(TIMEOUT_MS, () => resolve(undefined))
      const answer = url === SINKS.deadLetters ? toSink(life, posting) : toPersist(life, posting)
      const status = await Promise.race([answer, late])
      inTime()
      return { status, head: NOTHING }
    },
    close: async () => {},
  })

  async function start(spec: (typeof specs)[number]): Promise<void> {
    lives.get(spec.name)?.kill()
    const life = born(`source ${spec.name}`)
    lives.set(spec.name, life)
    const log = simulatedLog(topics, toLog(life), world.now)
    const onOutcome = (outcome: string) => seen.count(`source: ${outcome}`)
    await startKafkaSource(spec, { ...quiet(), log, clock: life.clock, httpClient: posterOf(life), onOutcome })
  }

  for (const spec of specs) await start(spec)
  return {
    rebalance: (at) => start(specs[at % specs.length] as (typeof specs)[number]),
    areDrained: () =>
      specs.every(({ topic, group }) => [...topics.lag(topic, group).values()].every((lag) => lag === 0)),
  }
}

/** As a KafkaSink writes it. */
function recordOf({ headers, body }: CloudEventRequest): NewRecord {
  const attributes = Object.entries(headers).filter(([name]) => name.startsWith('ce-'))
  const named = Object.fromEntries(attributes.map(([name, value]) => [`ce_${name.slice(3)}`, value]))
  const type = headers['content-type']
  return {
    key: headers['ce-partitionkey'] ?? null,
    value: body,
    headers: { ...named, ...(type ? { 'content-type': type } : {}) },
  }
}
