import { kafkaLog } from '#adapters/log/kafka.ts'
import { median, type Throughput, throughput } from './load.ts'
import { BROKERS, newPlace, type Pair, type Place } from './place.ts'
import { atMost, type Figure } from './report.ts'
import { bareFramework, bareHttp, type Command, forgetful, framework, ours, serve } from './served.ts'

interface Subject {
  row: 'a' | 'b'
  name: string
  command: Command
  path: string
  isOurs?: boolean
}

const HTTP = 'bare node:http'
const FRAMEWORK = 'bare functions-framework'
const ROUNDS = 3

/** Rows a and b: what accepting a command costs, beside servers that only check it. They take turns, and the median counts. */
export async function publishing(pairs: Pair[], isQuick: boolean, withOurs: boolean): Promise<Figure[]> {
  const subjects: Subject[] = [
    { row: 'a', name: HTTP, command: bareHttp, path: '/' },
    { row: 'a', name: FRAMEWORK, command: bareFramework, path: '/' },
  ]
  if (withOurs) {
    const name = 'publish, a log that forgets, our host'
    subjects.push({ row: 'b', name, command: forgetful, path: '/api/tutorials', isOurs: true })
    for (const pair of pairs) subjects.push(...(await publishOn(pair)))
  }
  const figures: Figure[] = []
  for (const connections of isQuick ? [32] : [32, 128]) {
    const results = await compare(subjects, connections, isQuick)
    for (const subject of subjects) figures.push(...figuresOf(subject, connections, results))
  }
  return figures
}

async function publishOn(pair: Pair): Promise<Subject[]> {
  const places = [newPlace(pair), newPlace(pair)] as const
  if (pair === 'real') await makeTopics(places)
  const [host, bare] = places
  const log = pair === 'real' ? 'Kafka' : 'embedded'
  const source = 'functions/publish/index.ts'
  // The first start with an embedded pair makes its topic; the function alone does not.
  if (pair === 'embedded') for (const { root, env } of places) await (await serve(ours(env, root, DEV))).stop()
  return [
    {
      row: 'b',
      name: `publish, ${log}, our host`,
      command: ours({ ...host.env, FUNCTION_TARGET: 'publish' }, host.root),
      path: '/api/tutorials',
      isOurs: true,
    },
    {
      row: 'b',
      name: `publish, ${log}, functions-framework`,
      command: framework(source, 'publish', bare.env, bare.root),
      path: '/api/tutorials',
    },
  ]
}

const DEV = 'functions/dev.ts'

async function makeTopics(places: readonly Place[]): Promise<void> {
  const log = kafkaLog({ brokers: BROKERS.split(','), replication: 3, maxBuffered: 1 })
  await log.ensure(places.map(({ topic }) => ({ name: topic, partitions: 3 })))
  await log.close()
}

async function compare(subjects: Subject[], connections: number, isQuick: boolean): Promise<Map<string, Throughput>> {
  const runs = new Map<string, Throughput[]>(subjects.map(({ name }) => [name, []]))
  for (let round = 0; round < (isQuick ? 1 : ROUNDS); round++) {
    for (const { name, command, path } of subjects) {
      const server = await serve(command)
      try {
        await throughput(server, path, connections, 1)
        runs.get(name)?.push(await throughput(server, path, connections, isQuick ? 1 : 3))
      } finally {
        await server.stop()
      }
    }
  }
  return new Map(
    [...runs].map(([name, each]) => [
      name,
      {
        perSecond: median(each.map(({ perSecond }) => perSecond)),
        cpuMicros: median(each.map(({ cpuMicros }) => cpuMicros)),
      },
    ]),
  )
}

function figuresOf({ row, name, isOurs }: Subject, connections: number, results: Map<string, Throughput>): Figure[] {
  const { perSecond, cpuMicros } = results.get(name) as Throughput
  const cpuOf = (floor: string) => cpuMicros / (results.get(floor) as Throughput).cpuMicros
  const label = `${name}, ${connections} connections`
  const cpu = { row, name: label, value: cpuMicros, unit: 'CPU us/request' }
  const toHttp = { of: HTTP, value: cpuOf(HTTP) }
  const toFramework = { of: FRAMEWORK, value: cpuOf(FRAMEWORK) }
  const speed: Figure = { row, name: label, value: perSecond, unit: 'requests/s' }
  if (!isOurs) return [speed, name === HTTP ? cpu : { ...cpu, ratio: toHttp }]
  return [
    speed,
    { ...cpu, ratio: toHttp, aim: atMost(toHttp.value, 1.7, 'x') },
    { ...cpu, ratio: toFramework, aim: atMost(toFramework.value, 0.5, 'x') },
  ]
}
