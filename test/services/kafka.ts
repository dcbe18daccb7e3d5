import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import '#adapters/log/kafka-timers.ts'
import { kafkaJars, run } from './install.ts'
import { type Server, server } from './server.ts'

export type Properties = Record<string, string | number | boolean>

export interface ClusterOptions {
  dir: string
  port: number
  properties: Properties
  onStart(): void
}

const CLUSTER_ID = 'bWlsbHJhY2UtdGVzdC1rYQ'
const NODES = [1, 2, 3]
const JAVA = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

export const brokersAt = (port: number): string[] => NODES.map((n) => `127.0.0.1:${port + n - 1}`)

/** Three brokers, formatted and ready to start; each is a controller too, ten ports above. */
export async function cluster({ dir, port: first, properties, onStart }: ClusterOptions): Promise<Server[]> {
  const jars = await kafkaJars()
  const node = async (n: number) => {
    const file = join(dir, `kafka-${n}.properties`)
    const data = join(dir, `kafka-${n}`)
    const settings = { ...propertiesOf(n, first), 'log.dirs': data, ...properties }
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
    writeFileSync(file, lines.join('\n'))
    if (!existsSync(join(data, 'meta.properties'))) {
      await run('java', [...JAVA, '-cp', jars, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file])
    }
    return server({
      name: `broker ${n}`,
      command: ['java', ...JAVA, '-cp', jars, 'kafka.Kafka', file],
      logFile: join(dir, `kafka-${n}.log`),
      ready: () => expectMembers(brokersAt(first).slice(n - 1, n), [n]),
      onStart,
    })
  }
  return Promise.all(NODES.map(node))
}

/** Resolves when all three brokers are in the cluster; rejects when they aren't now. */
export const expectWhole = (brokers: string[]): Promise<void> => expectMembers(brokers, NODES)

/** Fails over in two seconds instead of ten, so that tests of it don't wait. */
function propertiesOf(n: number, first: number): Properties {
  const controller = (node: number) => `127.0.0.1:${first + 9 + node}`
  return {
    'process.roles': 'broker,controller',
    'node.id': n,
    'controller.quorum.voters': NODES.map((node) => `${node}@${controller(node)}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${first + n - 1},CONTROLLER://${controller(n)}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${first + n - 1}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'default.replication.factor': 3,
    'min.insync.replicas': 2,
    'offsets.topic.replication.factor': 3,
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.replication.factor': 3,
    'transaction.state.log.min.isr': 2,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    'broker.session.timeout.ms': 2000,
    'broker.heartbeat.interval.ms': 500,
    'controller.quorum.election.timeout.ms': 500,
    'controller.quorum.fetch.timeout.ms': 1000,
  }
}

async function expectMembers(brokers: string[], wanted: number[]): Promise<void> {
  const kafka = new kafkajs.Kafka({
    brokers,
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 2000,
    retry: { retries: 0 },
  })
  const admin = kafka.admin()
  try {
    await admin.connect()
    const members = (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId)
    const missing = wanted.filter((n) => !members.includes(n))
    if (missing.length > 0) throw new Error(`broker ${missing} is not in the cluster`)
  } finally {
    await admin.disconnect()
  }
}
