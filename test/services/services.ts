import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { MongoClient } from 'mongodb'
import { has, kafkaJars, secantus } from './install.ts'
import { type Identity, identify, isRunning, type Server, server } from './server.ts'

export interface ServicesOptions {
  /** Data, logs and state. */
  dir: string
  /** The first of three; the controllers listen ten above. */
  kafkaPort?: number
  mongodbPort?: number
  kafka?: boolean
  mongodb?: boolean
}

export interface Services {
  brokers: string[]
  mongodbUri: string
  broker(n: 1 | 2 | 3): Server
  mongod: Server
  /** Kills what was started here. */
  stop(): Promise<void>
}

const CLUSTER_ID = 'bWlsbHJhY2UtdGVzdC1rYQ'
const NODES = [1, 2, 3] as const

/** Three real brokers and a MongoDB on 127.0.0.1, from nothing. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { dir, kafkaPort = 19092, mongodbPort = 27117, kafka = true, mongodb = true } = options
  mkdirSync(dir, { recursive: true })
  const brokers = NODES.map((n) => `127.0.0.1:${kafkaPort + n - 1}`)
  const mongodbUri = `mongodb://127.0.0.1:${mongodbPort}/?directConnection=true`
  const nodes = NODES.map((n) => broker(n, dir, kafkaPort, kafka))
  const mongod = database(dir, mongodbPort, mongodbUri, mongodb)
  const all = [...(kafka ? nodes : []), ...(mongodb ? [mongod] : [])]
  const remember = () => {
    const identities = all.map((server) => identify(server.pid() ?? -1)).filter((identity) => identity !== undefined)
    writeFileSync(join(dir, 'services.json'), JSON.stringify({ identities, brokers, mongodbUri }))
  }
  const stop = async () => {
    await Promise.all(all.map((server) => server.kill()))
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    const starting = Promise.all(all.map((server) => server.start()))
    remember()
    await starting
    if (kafka) await whole(brokers)
  } catch (error) {
    await stop()
    throw error
  }
  return { brokers, mongodbUri, broker: (n) => nodes[n - 1] as Server, mongod, stop }
}

export interface State {
  identities: Identity[]
  brokers: string[]
  mongodbUri: string
}

/** The set of servers that runs in `dir`, if one does. */
export function runningServices(dir: string): State | undefined {
  const file = join(dir, 'services.json')
  if (!existsSync(file)) return undefined
  const state = JSON.parse(readFileSync(file, 'utf8')) as State
  return state.identities.some(isRunning) ? state : undefined
}

/** Stops exactly what was started in `dir`. */
export function stopServices(dir: string): void {
  for (const identity of runningServices(dir)?.identities ?? []) {
    if (isRunning(identity)) process.kill(identity.pid, 'SIGKILL')
  }
  rmSync(dir, { recursive: true, force: true })
}

function broker(n: number, dir: string, kafkaPort: number, isWanted: boolean): Server {
  const port = kafkaPort + n - 1
  const data = join(dir, `kafka-${n}`)
  const file = join(dir, `kafka-${n}.properties`)
  const java = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const jars = isWanted ? join(kafkaJars(), '*') : ''
  if (isWanted && !existsSync(data)) {
    writeFileSync(file, propertiesOf(n, port, kafkaPort, data))
    const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file]
    execFileSync('java', ['-cp', jars, ...format], { stdio: 'pipe' })
  }
  return server({
    name: `broker ${n}`,
    command: ['java', ...java, '-cp', jars, 'kafka.Kafka', file],
    logFile: join(dir, `kafka-${n}.log`),
    ready: () => asked([`127.0.0.1:${port}`], 1),
  })
}

/** Fails over in two seconds instead of ten, so that tests of it don't wait. */
function propertiesOf(n: number, port: number, kafkaPort: number, data: string): string {
  const voters = NODES.map((node) => `${node}@127.0.0.1:${kafkaPort + 9 + node}`).join(',')
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': n,
    'controller.quorum.voters': voters,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${kafkaPort + 9 + n}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': data,
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
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')
}

/** A mongod on the PATH as a replica set of one, else the wire-compatible test server. */
function database(dir: string, port: number, uri: string, isWanted: boolean): Server {
  const data = join(dir, 'mongodb')
  mkdirSync(data, { recursive: true })
  const isReal = has('mongod')
  const address = isReal ? ['--bind_ip', '127.0.0.1'] : ['--host', '127.0.0.1']
  const storage = isReal ? ['--dbpath', data, '--replSet', 'rs0'] : ['--storage-path', data, '--sync-on-commit']
  const command = isReal ? 'mongod' : isWanted ? secantus() : ''
  return server({
    name: 'MongoDB',
    command: [command, ...address, '--port', String(port), ...storage],
    logFile: join(dir, 'mongodb.log'),
    ready: () => primary(uri, port, isReal),
  })
}

async function primary(uri: string, port: number, isReal: boolean): Promise<void> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 1000, connectTimeoutMS: 1000 })
  try {
    const admin = client.db('admin')
    const hello = await admin.command({ hello: 1 })
    if (hello.isWritablePrimary) return
    if (isReal && !hello.setName) {
      const members = [{ _id: 0, host: `127.0.0.1:${port}` }]
      await admin.command({ replSetInitiate: { _id: 'rs0', members } })
    }
    throw new Error('there is no primary yet')
  } finally {
    await client.close()
  }
}

/** Until every broker is in the cluster. */
async function whole(brokers: string[]): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    try {
      return await asked(brokers, brokers.length)
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

async function asked(brokers: string[], members: number): Promise<void> {
  const retry = { retries: 0 }
  const kafka = new kafkajs.Kafka({
    brokers,
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 2000,
    retry,
  })
  const admin = kafka.admin()
  try {
    await admin.connect()
    const cluster = await admin.describeCluster()
    if (cluster.brokers.length < members) throw new Error(`${cluster.brokers.length} of ${members} brokers are there`)
  } finally {
    await admin.disconnect()
  }
}
