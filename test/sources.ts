import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, vi } from 'vitest'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedLog } from '#adapters/log/embedded.ts'
import { partitionOf } from '#adapters/log/partition.ts'
import type { NewRecord } from '#core/log.ts'
import type { DeliveryOutcome } from '#local/kafka-source/dispatch.ts'
import { type KafkaSourceParts, type KafkaSourceSpec, startKafkaSource } from '#local/kafka-source/kafka-source.ts'
import { manualClock } from './clock.ts'
import { type Received, type Receiver, type Reply, receiver } from './receiver.ts'

/** Sources on an embedded log, with receivers and a manual clock. All of them are closed after each test. */

const dir = mkdtempSync(join(tmpdir(), 'source-'))
const file = openFile(dir)
export const log = embeddedLog(file)
/** The functions that close everything after the test, in order. */
export const opened: { close(): unknown }[] = []
let topics = 0

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})

afterAll(async () => {
  await log.close()
  file.close()
  rmSync(dir, { recursive: true })
})

const PARTITIONS = 2
/** A key for each partition. */
export const [A, B] = [0, 1].map((wanted) =>
  ['a', 'b', 'c', 'd'].find((key) => partitionOf(key, PARTITIONS) === wanted),
) as [string, string]

export async function newTopic(): Promise<string> {
  const topic = `topic-${++topics}`
  await log.ensure([{ name: topic, partitions: PARTITIONS }])
  return topic
}

/** Appends records named by key and number, such as a0 and a1. Tests compare these names. */
export async function append(
  topic: string,
  key: string,
  count: number,
  more: Partial<NewRecord> = {},
): Promise<string[]> {
  const names = Array.from({ length: count }, (_, n) => `${key}${n}`)
  await Promise.all(names.map((name) => log.append(topic, { key, value: name, ...more })))
  return names
}

export async function receiving(
  reply: (name: string, received: Received, index: number) => number | Reply | Promise<Reply>,
): Promise<Receiver> {
  const server = await receiver(async (received, index) => {
    const answer = await reply(received.body.toString(), received, index)
    return typeof answer === 'number' ? { status: answer } : answer
  })
  opened.push(server)
  return server
}

/** A receiver whose responses wait until the test releases them. */
export function gate() {
  const held = new Map<string, (reply: Reply) => void>()
  return {
    hold: (name: string) => new Promise<Reply>((resolve) => held.set(name, resolve)),
    held: () => [...held.keys()],
    release(name: string, status = 204) {
      held.get(name)?.({ status })
      held.delete(name)
    },
    releaseAll() {
      for (const name of [...held.keys()]) this.release(name)
    },
  }
}

export async function starting(
  topic: string,
  sink: string,
  more: Partial<KafkaSourceSpec> = {},
  parts: Partial<KafkaSourceParts> = {},
) {
  const clock = manualClock()
  const outcomes: DeliveryOutcome[] = []
  const logged: string[] = []
  let retries = 0
  const spec: KafkaSourceSpec = {
    name: 'source',
    namespace: 'mill',
    topic,
    group: `group-${topic}`,
    ordering: 'unordered',
    initialOffset: 'earliest',
    sink,
    ...more,
  }
  const source = await startKafkaSource(spec, {
    log,
    clock,
    logger: {
      debug: (_, message) => logged.push(`debug: ${message}`),
      warn: (_, message) => logged.push(`warn: ${message}`),
      error: (_, message) => logged.push(`error: ${message}`),
    },
    onOutcome: (outcome) => void outcomes.push(outcome),
    onRetry: () => void retries++,
    ...parts,
  })
  opened.unshift(source)
  return { source, clock, outcomes, logged, retries: () => retries }
}

export const namesOf = ({ received }: Receiver) => received.map(({ body }) => body.toString())
export const eventually = <T>(look: () => T | Promise<T>) => vi.waitFor(look, { timeout: 5000, interval: 2 })
const lagOf = async (topic: string) =>
  [...(await log.lag(topic, `group-${topic}`)).values()].reduce((sum, lag) => sum + lag, 0)
export const expectLag = (topic: string, lag: number) => eventually(async () => expect(await lagOf(topic)).toBe(lag))

/** Advances the time in small steps until the condition holds. Responses arrive between the steps. */
export async function passing(clock: { advance(ms: number): Promise<void> }, look: () => void): Promise<void> {
  await eventually(async () => {
    await clock.advance(100)
    look()
  })
}
