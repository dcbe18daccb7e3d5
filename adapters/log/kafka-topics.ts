import kafkajs, { type Admin } from 'kafkajs'
import type { Topic } from '#domains/domain.ts'
import { systemClock } from '../clock.ts'
import { Unavailable } from '../unavailable.ts'
import { RETENTION_DAYS } from './log.ts'

type Declared = Pick<Topic, 'name' | 'partitions'>

const DAY_MS = 86_400_000

/** What a topic declares. The error topic keeps its records without limit. */
export const settingsOf = (topic: string, replication: number): Record<string, string> => ({
  'min.insync.replicas': String(Math.max(1, replication - 1)),
  'retention.ms': topic === 'dead-letters' ? '-1' : String(RETENTION_DAYS * DAY_MS),
  'unclean.leader.election.enable': 'false',
})

const KNOWN_WITHIN_MS = 15_000

/** Makes the missing ones, waits until every partition is led, and throws what differs from its declaration. */
export async function ensureTopics(admin: Admin, topics: Declared[], replication: number): Promise<void> {
  const there = new Set(await admin.listTopics())
  const made = topics
    .filter(({ name }) => !there.has(name))
    .map(({ name, partitions }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor: replication,
      configEntries: Object.entries(settingsOf(name, replication)).map(([name, value]) => ({ name, value })),
    }))
  if (made.length > 0) await admin.createTopics({ topics: made, waitForLeaders: false })
  const wrong = await differences(admin, topics, replication)
  if (wrong.length > 0) throw new Error(`log: ${wrong.join('; ')}`)
}

/** A topic that was just made has no leaders for a moment, and some brokers don't know it yet. */
async function differences(admin: Admin, topics: Declared[], replication: number): Promise<string[]> {
  const deadline = Date.now() + KNOWN_WITHIN_MS
  for (;;) {
    try {
      const shapes = await wrongShapes(admin, topics, replication)
      return [...shapes, ...(await wrongSettings(admin, topics, replication))]
    } catch (error) {
      const isPassing = error instanceof Unavailable || error instanceof kafkajs.KafkaJSError
      if (!isPassing || Date.now() > deadline) throw error
      await systemClock.sleep(100)
    }
  }
}

async function wrongShapes(admin: Admin, topics: Declared[], replication: number): Promise<string[]> {
  const metadata = await admin.fetchTopicMetadata({ topics: topics.map(({ name }) => name) })
  return topics.flatMap(({ name, partitions: wanted }) => {
    const partitions = metadata.topics.find((topic) => topic.name === name)?.partitions ?? []
    const [first] = partitions
    if (!first || partitions.some(({ leader }) => leader < 0)) {
      throw new Unavailable('log', `topic ${name} has no leader yet`)
    }
    const factor = first.replicas.length
    return [
      ...(partitions.length === wanted ? [] : [`topic ${name} has ${partitions.length} partitions, not ${wanted}`]),
      ...(factor === replication ? [] : [`topic ${name} has replication factor ${factor}, not ${replication}`]),
    ]
  })
}

/** A topic that differs from what is declared could lose what the declaration promises to keep. */
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
      return actual === value ? [] : [`topic ${name} has ${setting}=${actual}, not ${value}`]
    })
  })
}
