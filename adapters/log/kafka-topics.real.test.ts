import kafkajs, { type ITopicConfig } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Unavailable } from '#core/unavailable.ts'
import { readConfig } from '#main/config.ts'
import { kafkaLog } from './kafka.ts'
import { settingsOf } from './kafka-topics.ts'

const { KAFKA_BROKERS: brokers } = readConfig(process.env)
const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
const made: string[] = []

beforeAll(() => admin.connect())
afterAll(async () => {
  const there = await admin.listTopics()
  await admin.deleteTopics({ topics: made.filter((topic) => there.includes(topic)) })
  await admin.disconnect()
})

function newTopic(): string {
  const topic = `topics-${crypto.randomUUID()}`
  made.push(topic)
  return topic
}

/** A topic that somebody else has made. */
async function foreign(config: Omit<ITopicConfig, 'topic'>): Promise<string> {
  const topic = newTopic()
  await admin.createTopics({ topics: [{ topic, ...config }] })
  return topic
}

async function ensure(name: string, partitions: number, replication = 3): Promise<unknown> {
  const log = kafkaLog({ brokers, replication, maxBuffered: 10 })
  return await log
    .ensure([{ name, partitions }])
    .catch((error) => error)
    .finally(() => log.close())
}

async function configOf(topic: string): Promise<Record<string, string>> {
  const type = kafkajs.ConfigResourceTypes.TOPIC
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type, name: topic }] })
  return Object.fromEntries(
    resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]) ?? [],
  )
}

async function shapeOf(topic: string): Promise<{ partitions: number; factors: number[] }> {
  const partitions = (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions ?? []
  return { partitions: partitions.length, factors: [...new Set(partitions.map(({ replicas }) => replicas.length))] }
}

test('given no topic, then it is made as declared, and ensuring it again finds no difference', async () => {
  const topic = newTopic()
  expect(await ensure(topic, 2)).toBeUndefined()
  expect(await shapeOf(topic)).toEqual({ partitions: 2, factors: [3] })
  expect(await configOf(topic)).toMatchObject({
    'min.insync.replicas': '2',
    'retention.ms': String(30 * 24 * 3600 * 1000),
    'cleanup.policy': 'delete',
    'unclean.leader.election.enable': 'false',
  })
  expect(await ensure(topic, 2)).toBeUndefined()
})

test('the error topic has no retention limit', async () => {
  expect(await ensure('dead-letters', 3)).toBeUndefined()
  expect(await configOf('dead-letters')).toMatchObject({ 'retention.ms': '-1', 'retention.bytes': '-1' })
})

test.each(Object.entries(settingsOf('any', 3)))(
  'given a topic with another %s, then the error says how to mend it',
  async (setting, value) => {
    const other =
      new Map([
        ['min.insync.replicas', '1'],
        ['cleanup.policy', 'compact'],
        ['unclean.leader.election.enable', 'true'],
      ]).get(setting) ?? '4711'
    const right = Object.entries(settingsOf('any', 3)).map(([name, value]) => ({ name, value }))
    const configEntries = right.map((entry) => (entry.name === setting ? { name: setting, value: other } : entry))
    const topic = await foreign({ numPartitions: 1, replicationFactor: 3, configEntries })
    const error = await ensure(topic, 1)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(Unavailable)
    expect((error as Error).message.split('\n  ').slice(1)).toEqual([
      `topic ${topic} has ${setting}=${other}, not ${value}: ` +
        `kafka-configs.sh --alter --topic ${topic} --add-config ${setting}=${value}`,
    ])
    expect((await configOf(topic))[setting]).toBe(other)
  },
)

test('given a topic of another shape, then the error lists every difference, and nothing is altered', async () => {
  const topic = await foreign({ numPartitions: 1, replicationFactor: 2 })
  const error = (await ensure(topic, 3)) as Error
  expect(error.message).toContain(`topic ${topic} has 1 partitions, not 3: more partitions move keys`)
  expect(error.message).toContain(`topic ${topic} has replication factor 2, not 3: kafka-reassign-partitions.sh`)
  expect(error.message).toContain(`topic ${topic} has retention.ms=`)
  expect(await shapeOf(topic)).toEqual({ partitions: 1, factors: [2] })
})

test('given more partitions than declared, then the error says that they stay', async () => {
  const topic = await foreign({ numPartitions: 3, replicationFactor: 3 })
  expect(((await ensure(topic, 2)) as Error).message).toContain('3 partitions, not 2: partitions can not be taken away')
})

test('given too few brokers for the replicas, then the error says so for each topic', async () => {
  const topic = newTopic()
  const error = (await ensure(topic, 1, 4)) as Error
  expect(error).not.toBeInstanceOf(Unavailable)
  expect(error.message).toMatch(new RegExp(`topics with 4 replicas can not be made\\s+${topic}: Replication-factor`))
  expect(await admin.listTopics()).not.toContain(topic)
})
