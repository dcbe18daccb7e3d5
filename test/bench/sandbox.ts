import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import kafkajs from 'kafkajs'
import { MongoClient } from 'mongodb'
import { seals } from '#core/seals.ts'
import { copyWith } from '../copy.ts'

export type Pair = 'embedded' | 'real'

const SECRET = 'of a benchmark with thirty-two characters'
export const SEALS = seals([SECRET])

export const BROKERS = process.env.KAFKA_BROKERS ?? '127.0.0.1:19092,127.0.0.1:19093,127.0.0.1:19094'
const brokers = BROKERS.split(',')
/** The URI without retryable writes: the test server slows down after 10,000 of them. A real mongod is measured without them too. */
export const MONGODB_URI = withoutRetries(process.env.MONGODB_URI ?? 'mongodb://127.0.0.1:27117/?directConnection=true')

const made: { topics: string[]; groups: string[]; databases: string[]; folders: string[] } = {
  topics: [],
  groups: [],
  databases: [],
  folders: [],
}
let count = 0

/** The folder, topics and database of one measurement, which shares nothing with others. */
export interface Sandbox {
  /** A copy of the product that differs in the names of its topics and consumer groups only. */
  root: string
  topic: string
  sumsTopic: string
  database: string
  dir: string
  env: Record<string, string>
}

/** A new empty folder, which `cleanUp` removes. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  made.folders.push(folder)
  return folder
}

export function newSandbox(pair: Pair): Sandbox {
  const name = `bench-${process.pid}-${++count}`
  const topics = [name, `${name}-sums`, `${name}-logs`] as const
  const root = copyWith([
    renamed('domains/tutorials/domain.ts', "name: 'tutorials'", "'tutorials-topic'", topics[0]),
    renamed('domains/sums/domain.ts', "name: 'sums'", "'summation'", topics[1]),
    renamed('domains/logs/domain.ts', "name: 'logs'", "'logs'", topics[2]),
  ])
  const dir = newFolder()
  const database = name.replaceAll('-', '_')
  made.folders.push(root)
  if (pair === 'real') {
    made.topics.push(...topics)
    made.groups.push(...topics.map((topic) => `millrace-${topic}`))
    made.databases.push(database)
  }
  const isReal = pair === 'real'
  const env = {
    LOG: isReal ? 'kafka' : 'embedded',
    STORE: isReal ? 'mongodb' : 'embedded',
    MILLRACE_DIR: dir,
    MONGODB_DATABASE: database,
    MONGODB_URI,
    KAFKA_BROKERS: BROKERS,
    LOG_LEVEL: 'warn',
    HOST: '127.0.0.1',
    RECEIPT_SECRET: SECRET,
  }
  return { root, topic: topics[0], sumsTopic: topics[1], database, dir, env }
}

/** Creates the topics, collections and indexes, since a function that is started alone does not. */
export const prepare = ({ root, env }: Sandbox): Promise<unknown> =>
  promisify(execFile)(process.execPath, ['main/serve.ts'], {
    cwd: root,
    env: { ...process.env, ...env, FUNCTION_TARGET: 'prepare' },
  })

/** The domain with another name, on a topic of that name. */
function renamed(path: string, name: string, topic: string, other: string) {
  const text = readFileSync(path, 'utf8').replace(name, `name: '${other}'`).replace(topic, `'${other}'`)
  if (text.split(`name: '${other}'`).length !== 3) throw new Error(`${path} reads otherwise`)
  return { path, text }
}

/** The reason why the real pair cannot be measured on this machine, or undefined. */
export async function lacking(): Promise<string | undefined> {
  const lacks: string[] = []
  const admin = kafka().admin()
  await admin
    .connect()
    .then(() => admin.describeCluster())
    .catch(() => lacks.push(`no Kafka at ${BROKERS}`))
  await admin.disconnect().catch(() => undefined)
  const client = new MongoClient(MONGODB_URI, { serverSelectionTimeoutMS: 1500 })
  await client
    .db('admin')
    .command({ ping: 1 })
    .catch(() => lacks.push(`no MongoDB at ${MONGODB_URI}`))
  await client.close()
  return lacks.length > 0 ? lacks.join(' and ') : undefined
}

/** Removes everything that this run created, and nothing else. */
export async function cleanUp(): Promise<void> {
  for (const folder of made.folders) rmSync(folder, { recursive: true, force: true })
  const { topics, groups, databases } = made
  if (topics.length > 0) {
    const admin = kafka().admin()
    await admin.connect()
    const there = new Set(await admin.listTopics())
    // Only topics that were drained or driven end to end have a group.
    for (const group of groups) await admin.deleteGroups([group]).catch(() => undefined)
    await admin.deleteTopics({ topics: topics.filter((topic) => there.has(topic)) })
    await admin.disconnect()
  }
  if (databases.length > 0) {
    const client = new MongoClient(MONGODB_URI)
    for (const database of databases) await client.db(database).dropDatabase()
    await client.close()
  }
}

const kafka = () =>
  new kafkajs.Kafka({
    clientId: 'millrace-bench',
    brokers,
    connectionTimeout: 1000,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 2 },
  })

function withoutRetries(uri: string): string {
  if (/[?&]retryWrites=/.test(uri)) return uri
  if (uri.includes('?')) return `${uri}&retryWrites=false`
  return `${uri}${/^[^/]+\/\/[^/]+\//.test(uri) ? '' : '/'}?retryWrites=false`
}
