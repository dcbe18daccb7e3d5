import { deadLetterSource, deadLetters, sourceOf } from '#core/kafka-source-policy.ts'
import type { NewRecord } from '#core/log.ts'
import type { Domain } from '#domains/domain.ts'
import type { HttpClient } from '#local/kafka-source/http-client.ts'
import { startKafkaSource } from '#local/kafka-source/kafka-source.ts'
import type { CloudEventRequest } from '#local/kafka-source/record-to-request.ts'
import { quiet } from '../telemetry.ts'
import type { Environment } from './environment.ts'
import { simulatedLog } from './log.ts'
import type { Processes } from './processes.ts'
import type { ProcessRun } from './world.ts'

export interface Sources {
  /** Replaces a source by one that starts at the committed offsets. Its attempts are forgotten, but its open requests go on. */
  rebalance(at: number): Promise<void>
  /** True when every record of every topic is delivered and committed. */
  areDrained(): boolean
}

const SINKS = { persist: 'http://persist/', deadLetters: 'http://dead-letters/' }
/** The time-out of a delivery in the KafkaSource manifests. */
const TIMEOUT_MS = 60_000
const NOTHING = Buffer.alloc(0)

/** The real local KafkaSource between the simulated log and the processes of persist. */
export async function startSources(
  { world, faults, coverage, topics, newRun, toLog }: Environment,
  domains: Domain[],
  { deliver }: Processes,
  isImpatient: boolean,
): Promise<Sources> {
  const specs = [...domains.map((domain) => sourceOf(domain, SINKS)), deadLetterSource(SINKS)].map((spec) =>
    isImpatient && spec.ordering === 'unordered' && spec.topic !== deadLetters.name
      ? { ...spec, delivery: { ...spec.delivery, retry: 3 } }
      : spec,
  )
  const runs = new Map<string, ProcessRun>()

  async function toPersist({ io, random }: ProcessRun, posting: CloudEventRequest): Promise<number | undefined> {
    const answer = await io(() => ({ status: deliver(posting, random()) }))
    const status = await answer.status
    if (status !== undefined) coverage.count(`response ${status}`)
    return await io(() => {
      const isLost = random() < 0.5 && faults.isActive('responses lost')
      return isLost ? coverage.count('responses lost', undefined) : status
    })
  }

  const toSink = ({ io }: ProcessRun, posting: CloudEventRequest): Promise<number> =>
    io(() => {
      // A source that gives up on its sink too loses the record, as a KafkaSource does.
      if (faults.isActive('sink unavailable') && !isImpatient) return coverage.count('sink unavailable', 503)
      if (posting.headers['ce-knativeerrorcode'] !== '422') coverage.count('given up by a source')
      topics.append(deadLetters.name, recordOf(posting), world.now())
      return coverage.count('dead letter', 202)
    })

  const httpClientOf = (run: ProcessRun): HttpClient => ({
    async post(url, posting) {
      const { promise: late, resolve } = Promise.withResolvers<undefined>()
      const inTime = world.later(TIMEOUT_MS, () => resolve(undefined))
      const answer = url === SINKS.deadLetters ? toSink(run, posting) : toPersist(run, posting)
      const status = await Promise.race([answer, late])
      inTime()
      return { status, head: NOTHING }
    },
    close: async () => {},
  })

  async function start(spec: (typeof specs)[number]): Promise<void> {
    runs.get(spec.name)?.kill()
    const run = newRun(`source ${spec.name}`)
    runs.set(spec.name, run)
    const log = simulatedLog(topics, toLog(run), world.now)
    const onOutcome = (outcome: string) => coverage.count(`source: ${outcome}`)
    await startKafkaSource(spec, { ...quiet(), log, clock: run.clock, httpClient: httpClientOf(run), onOutcome })
  }

  for (const spec of specs) await start(spec)
  return {
    rebalance: (at) => start(specs[at % specs.length] as (typeof specs)[number]),
    areDrained: () =>
      specs.every(({ topic, group }) => [...topics.lag(topic, group).values()].every((lag) => lag === 0)),
  }
}

/** The record that a KafkaSink writes. */
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
