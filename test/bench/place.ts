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
/** The test server slows down after 10,000 retryable writes; a real mongod does without them as well. */
export const MONGODB_URI = withoutRetries(process.env.MONGODB_URI ?? 'mongodb://127.0.0.1:27117/?directConnection=true')

const made: { topics: string[]; groups: string[]; databases: string[]; folders: string[] } = {
  topics: [],
  groups: [],
  databases: [],
  folders: [],
}
let count = 0

/** Where one measurement runs, so that none finds what another left. */
export interface Place {
  /** A copy of the product whose only difference is the names of its topics, and so of its consumer groups. */
  root: string
  topic: string
  sumsTopic: string
  database: string
  dir: string
  env: Record<string, string>
}

export function newPlace(pair: Pair): Place {
  const name = `bench-${process.pid}-${++count}`
  const topics = [name, `${name}-sums`, `${name}-logs`] as const
  const root = copyWith([
    renamed('domains/tutorials/domain.ts', "name: 'tutorials'", "'tutorials-topic'", topics[0]),
    renamed('domains/sums/domain.ts', "name: 'sums'", "'summation'", topics[1]),
    renamed('domains/logs/domain.ts', "name: 'logs'", "'logs'", topics[2]),
  ])
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const database = name.replaceAll('-', '_')
  made.folders.push(root, dir)
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

/** Makes its topics, its collections and their indexes; a function that is started alone makes none. */
export const prepare = ({ root, env }: Place): Promise<unknown> =>
  promisify(execFile)(process.execPath, ['main/serve.ts'], {
    cwd: root,
    env: { ...process.env, ...env, FUNCTION_TARGET: 'prepare' },
  })

/** A domain under another name, on a topic that is called as it is. */
function renamed(path: string, name: string, topic: string, other: string) {
  const text = readFileSync(path, 'utf8').replace(name, `name: '${other}'`).replace(topic, `'${other}'`)
  if (text.split(`name: '${other}'`).length !== 3) throw new Error(`${path} reads otherwise`)
  return { path, text }
}

/** Why the real pair can't be measured here; undefined when it can. */
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

/** Removes what this run made, and nothing else. */
export async function cleanUp(): Promise<void> {
  for (const folder of made.folders) rmSync(folder, { recursive: true, force: true })
  const { topics, groups, databases } = made
  if (topics.length > 0) {
    const admin = kafka().admin()
    await admin.connect()
    const there = new Set(await admin.listTopics())
    // Only what drained or was driven end to end has a group.
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
