import kafkajs, { type Admin } from 'kafkajs'
import { DAY_MS, systemClock } from '#core/clock.ts'
import { HORIZON_DAYS } from '#core/log.ts'
import { retry } from '#core/retry.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Topic } from '#domains/domain.ts'
import { isOutage } from './kafka-errors.ts'

type Declared = Pick<Topic, 'name' | 'partitions'>

/**
 * The settings of a topic, independent of the brokers' defaults. The error topic has no retention limit. A lane sends
 * at most 900 kB at once, which `max.message.bytes` must allow.
 */
export const settingsOf = (topic: string, replication: number): Record<string, string> => ({
  'min.insync.replicas': String(Math.max(1, replication - 1)),
  'retention.ms': topic === 'dead-letters' ? '-1' : String(HORIZON_DAYS * DAY_MS),
  'retention.bytes': '-1',
  'cleanup.policy': 'delete',
  'max.message.bytes': '1048588',
  'unclean.leader.election.enable': 'false',
})

const KNOWN_WITHIN_MS = 15_000

/**
 * Makes the missing topics and waits until every partition has a leader. Throws the differences from the declaration, each with
 * its remedy. Existing topics are never altered: more partitions would move keys to other partitions.
 */
export async function ensureTopics(admin: Admin, topics: Declared[], replication: number): Promise<void> {
  const there = new Set(await admin.listTopics())
  const missing = topics.filter(({ name }) => !there.has(name))
  if (missing.length > 0) await make(admin, missing, replication)
  const wrong = await differences(admin, topics, replication)
  if (wrong.length > 0) throw new Error(`log: the topics are not as they are declared\n  ${wrong.join('\n  ')}`)
}

async function make(admin: Admin, topics: Declared[], replication: number): Promise<void> {
  const made = topics.map(({ name, partitions }) => ({
    topic: name,
    numPartitions: partitions,
    replicationFactor: replication,
    configEntries: Object.entries(settingsOf(name, replication)).map(([name, value]) => ({ name, value })),
  }))
  try {
    await admin.createTopics({ topics: made, waitForLeaders: false })
  } catch (error) {
    if (!(error instanceof kafkajs.KafkaJSAggregateError)) throw error
    const reasons = error.errors.map((refused) =>
      refused instanceof Error && 'topic' in refused ? `${refused.topic}: ${refused.message}` : String(refused),
    )
    const cause = { cause: error }
    throw new Error(`log: topics with ${replication} replicas can not be made\n  ${reasons.join('\n  ')}`, cause)
  }
}

/** Retries, because a new topic has no leaders for a moment and some brokers don't know it yet. */
async function differences(admin: Admin, topics: Declared[], replication: number): Promise<string[]> {
  const compare = async () => [
    ...(await wrongShapes(admin, topics, replication)),
    ...(await wrongSettings(admin, topics, replication)),
  ]
  return await retry(compare, {
    clock: systemClock,
    when: isOutage,
    pause: () => 100,
    deadline: Date.now() + KNOWN_WITHIN_MS,
  })
}

async function wrongShapes(admin: Admin, topics: Declared[], replication: number): Promise<string[]> {
  const metadata = await admin.fetchTopicMetadata({ topics: topics.map(({ name }) => name) })
  return topics.flatMap(({ name, partitions: wanted }) => {
    const partitions = metadata.topics.find((topic) => topic.name === name)?.partitions ?? []
    if (partitions.length === 0 || partitions.some(({ leader }) => leader < 0)) {
      throw new Unavailable('log', `topic ${name} has no leader yet`)
    }
    const factor = partitions.find(({ replicas }) => replicas.length !== replication)?.replicas.length
    return [
      ...(partitions.length === wanted
        ? []
        : [`topic ${name} has ${partitions.length} partitions, not ${wanted}: ${regrow(partitions.length, wanted)}`]),
      ...(factor === undefined
        ? []
        : [
            `topic ${name} has replication factor ${factor}, not ${replication}: kafka-reassign-partitions.sh alters it`,
          ]),
    ]
  })
}

const regrow = (actual: number, wanted: number): string =>
  actual > wanted
    ? 'partitions can not be taken away, so declare as many as there are'
    : 'more partitions move keys, so drain the topic first'

async function wrongSettings(admin: Admin, topics: Declared[], replication: number): Promise<string[]> {
  const wanted = topics.map(({ name }) => ({ name, settings: settingsOf(name, replication) }))
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: wanted.map(({ name, settings }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: Object.keys(settings),
    })),
  })
  return wanted.flatMap(({ name, settings }) => {
    const found = resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? []
    return Object.entries(settings).flatMap(([setting, value]) => {
      const actual = found.find(({ configName }) => configName === setting)?.configValue
      const alter = `kafka-configs.sh --alter --topic ${name} --add-config ${setting}=${value}`
      return actual === value ? [] : [`topic ${name} has ${setting}=${actual}, not ${value}: ${alter}`]
    })
  })
}
