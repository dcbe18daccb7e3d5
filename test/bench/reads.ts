import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import { mongodbStore } from '#adapters/store/mongodb.ts'
import { collections } from '#core/collections.ts'
import type { Store } from '#core/store.ts'
import tutorials from '#domains/tutorials/domain.ts'
import { tokensOf } from '../auth/grant.ts'
import { fastifyTools } from '../services/install.ts'
import { medians, type Sent, type Throughput, throughput } from './load.ts'
import { atMost, type Figure } from './report.ts'
import { MONGODB_URI, newSandbox, type Pair } from './sandbox.ts'
import { bareReads, type Command, naiveReads, ours, type Served, serve } from './served.ts'

/** The test server of MongoDB reads the whole collection for a page, so it gets few documents. */
const STORED = { embedded: 10_000, real: 200 } as const
const CHUNK = 1000
const CLIENTS = 32
const ROUNDS = 3
/** The length of a quick run. */
const SECONDS = { embedded: 1, real: 3 } as const
const FIRST = Date.parse('2026-01-01T00:00:00.000Z')
const idOf = (number: number): string => `018f${String(number).padStart(20, '0')}`

const READS = [
  { name: 'GET one', paths: Array.from({ length: 100 }, (_, at) => `/api/tutorials/${idOf(2 * at)}`), micros: 60 },
  { name: 'a page of 50', paths: ['/api/tutorials?order=newest&limit=50'], micros: 150 },
]

/** The two servers of a pair: one without Millrace, and query. */
interface Subjects {
  floor: { name: string; command: Command }
  query: Command
  headersFor(query: Served): Promise<Record<string, string>>
  stop(): Promise<void>
}

/**
 * Row o: the CPU of reads with the token of a member, beside a server without Millrace and tokens on the same documents. That is node:http
 * with node:sqlite for the embedded pair, and Fastify with mongodb for the real one. They take turns, and the median counts.
 */
export async function reads(pairs: Pair[], isQuick: boolean): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const pair of pairs) {
    const subjects = await (pair === 'embedded' ? embedded() : real())
    try {
      figures.push(...(await figuresOf(pair, subjects, isQuick)))
    } finally {
      await subjects.stop()
    }
  }
  return figures
}

async function figuresOf(pair: Pair, { floor, query, headersFor }: Subjects, isQuick: boolean): Promise<Figure[]> {
  const seconds = SECONDS[pair] * (isQuick ? 1 : 3)
  const rounds = { floor: [] as Throughput[][], query: [] as Throughput[][] }
  for (let round = 0; round < (isQuick ? 1 : ROUNDS); round++) {
    rounds.floor.push(await measure(floor.command, async () => ({}), seconds))
    rounds.query.push(await measure(query, headersFor, seconds))
  }
  return READS.flatMap(({ name, micros }, at): Figure[] => {
    const [other, own] = [rounds.floor, rounds.query].map((each) => medians(each.map((read) => read[at] as Throughput)))
    if (!other || !own) return []
    const value = own.cpuMicros / other.cpuMicros
    const aim = pair === 'embedded' ? atMost(own.cpuMicros, micros, ' us') : atMost(value, 1.1, 'x')
    const query = `query, ${pair} pair, ${name}`
    const ratio = { of: floor.name, value }
    return [
      { row: 'o', name: `${floor.name}, ${name}`, value: other.cpuMicros, unit: 'CPU us/request' },
      { row: 'o', name: query, value: own.perSecond, unit: 'requests/s' },
      { row: 'o', name: query, value: own.cpuMicros, unit: 'CPU us/request', ratio, aim },
    ]
  })
}

/** The throughput of each kind of read. A first run of the same length warms the server. */
async function measure(command: Command, headersFor: Subjects['headersFor'], seconds: number): Promise<Throughput[]> {
  const server = await serve(command)
  try {
    const headers = await headersFor(server)
    const measured: Throughput[] = []
    for (const { paths } of READS) {
      const sent: Sent = { over: 'reads', paths, headers, status: 200 }
      await throughput(server, sent, CLIENTS, seconds)
      measured.push(await throughput(server, sent, CLIENTS, seconds))
    }
    return measured
  } finally {
    await server.stop()
  }
}

async function embedded(): Promise<Subjects> {
  const { env, root, dir } = newSandbox('embedded')
  const file = openFile(dir)
  await seed(embeddedStore(file), STORED.embedded)
  file.close()
  return {
    floor: { name: 'bare node:http and node:sqlite', command: { ...bareReads, env } },
    query: ours(env, root, 'main/dev.ts'),
    headersFor: membersHeaders,
    stop: async () => {},
  }
}

/** The real pair has no issuer, so another Millrace is one. */
async function real(): Promise<Subjects> {
  const { env, root, database } = newSandbox('real')
  await seed(mongodbStore({ uri: MONGODB_URI, database, logger: console }), STORED.real)
  const beside = newSandbox('embedded')
  const issuer = await serve(ours(beside.env, beside.root, 'main/dev.ts'))
  const headers = await membersHeaders(issuer)
  return {
    floor: { name: 'Fastify and mongodb', command: { ...naiveReads, env: { ...env, FASTIFY: await fastifyTools() } } },
    query: ours({ ...env, FUNCTION_TARGET: 'query', OIDC_ISSUER: issuerOf(issuer) }, root),
    headersFor: async () => headers,
    stop: issuer.stop,
  }
}

const issuerOf = ({ url }: Served): string => `${url.replace('127.0.0.1', 'localhost')}/oidc`

async function membersHeaders(server: Served): Promise<Record<string, string>> {
  return { authorization: `Bearer ${(await tokensOf(issuerOf(server), ['member'])).get('member')}` }
}

async function seed(store: Store, count: number): Promise<void> {
  await store.prepare(collections([tutorials]))
  const documents = Array.from({ length: count }, (_, number) => ({
    _id: idOf(number),
    title: `How water turns wheel ${number}, and the wheel a stone`,
    time: new Date(FIRST + number * 1000).toISOString(),
    _hash: 'of a body',
    _stream: `tutorial/${idOf(number)}`,
  }))
  for (let at = 0; at < count; at += CHUNK) {
    await store.insert(tutorials.documents.collection, documents.slice(at, at + CHUNK))
  }
  await store.close()
}
