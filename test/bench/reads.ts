import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import { collections } from '#core/collections.ts'
import tutorials from '#domains/tutorials/domain.ts'
import { tokensOf } from '../auth/grant.ts'
import { medians, type Sent, type Throughput, throughput } from './load.ts'
import { atMost, type Figure } from './report.ts'
import { newSandbox } from './sandbox.ts'
import { bareReads, type Command, ours, type Served, serve } from './served.ts'

const STORED = 10_000
const CLIENTS = 32
const ROUNDS = 3
const FLOOR = 'bare node:http and node:sqlite'
const FIRST = Date.parse('2026-01-01T00:00:00.000Z')
const idOf = (number: number): string => `018f${String(number).padStart(20, '0')}`

const READS = [
  { name: 'GET one', paths: Array.from({ length: 100 }, (_, at) => `/api/tutorials/${idOf(at * 97)}`), aim: 60 },
  { name: 'a page of 50', paths: ['/api/tutorials?order=newest&limit=50'], aim: 150 },
]

/**
 * Row o: the CPU of reads on the embedded store with the token of a member, and of a bare server that reads the same file. They take
 * turns, and the median counts.
 */
export async function reads(isQuick: boolean): Promise<Figure[]> {
  const { env, root, dir } = newSandbox('embedded')
  await seed(dir)
  const subjects: [name: string, command: Command][] = [
    [FLOOR, { ...bareReads, env }],
    ['query', ours(env, root, 'main/dev.ts')],
  ]
  const runs = new Map(subjects.map(([name]) => [name, READS.map(() => [] as Throughput[])]))
  for (let round = 0; round < (isQuick ? 1 : ROUNDS); round++) {
    for (const [name, command] of subjects) {
      const server = await serve(command)
      try {
        const headers = name === FLOOR ? {} : await membersHeaders(server)
        for (const [at, { paths }] of READS.entries()) {
          const sent: Sent = { over: 'reads', paths, headers, status: 200 }
          await throughput(server, sent, CLIENTS, isQuick ? 1 : 3)
          runs.get(name)?.[at]?.push(await throughput(server, sent, CLIENTS, isQuick ? 1 : 3))
        }
      } finally {
        await server.stop()
      }
    }
  }
  return READS.flatMap(({ name, aim }, at) => {
    const [floor, own] = [...runs.values()].map((each) => medians(each[at] as Throughput[])) as [Throughput, Throughput]
    const ratio = { of: FLOOR, value: own.cpuMicros / floor.cpuMicros }
    return [
      { row: 'o', name: `${FLOOR}, ${name}`, value: floor.cpuMicros, unit: 'CPU us/request' },
      { row: 'o', name: `query, ${name}`, value: own.perSecond, unit: 'requests/s' },
      {
        row: 'o',
        name: `query, ${name}`,
        value: own.cpuMicros,
        unit: 'CPU us/request',
        ratio,
        aim: atMost(own.cpuMicros, aim, ' us'),
      },
    ]
  })
}

async function membersHeaders({ url }: Served): Promise<Record<string, string>> {
  const issuer = `${url.replace('127.0.0.1', 'localhost')}/oidc`
  return { authorization: `Bearer ${(await tokensOf(issuer, ['member'])).get('member')}` }
}

async function seed(dir: string): Promise<void> {
  const file = openFile(dir)
  const store = embeddedStore(file)
  await store.prepare(collections([tutorials]))
  const documents = Array.from({ length: STORED }, (_, number) => ({
    _id: idOf(number),
    title: `How water turns wheel ${number}, and the wheel a stone`,
    time: new Date(FIRST + number * 1000).toISOString(),
    _hash: 'of a body',
    _stream: `tutorial/${idOf(number)}`,
  }))
  await store.insert(tutorials.documents.collection, documents)
  await store.close()
  file.close()
}
