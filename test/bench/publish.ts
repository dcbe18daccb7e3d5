import { medians, type Sent, type Throughput, TITLES, throughput } from './load.ts'
import { atMost, type Figure } from './report.ts'
import { newSandbox, type Pair, prepare } from './sandbox.ts'
import { bareFramework, bareHttp, type Command, discardingLog, framework, ours, serve } from './served.ts'

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

/** Rows a and b: the cost of accepting a command, and of servers that only validate it. They take turns, and the median counts. */
export async function publishing(pairs: Pair[], isQuick: boolean, withOurs: boolean): Promise<Figure[]> {
  const subjects: Subject[] = [
    { row: 'a', name: HTTP, command: bareHttp, path: '/' },
    { row: 'a', name: FRAMEWORK, command: bareFramework, path: '/' },
  ]
  if (withOurs) {
    const name = 'publish, a log that forgets, our host'
    subjects.push({ row: 'b', name, command: discardingLog, path: '/api/tutorials', isOurs: true })
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
  const [host, bare] = [newSandbox(pair), newSandbox(pair)]
  await Promise.all([host, bare].map(prepare))
  const log = pair === 'real' ? 'Kafka' : 'embedded'
  const source = 'functions/publish/index.ts'
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

async function compare(subjects: Subject[], connections: number, isQuick: boolean): Promise<Map<string, Throughput>> {
  const runs = new Map<string, Throughput[]>(subjects.map(({ name }) => [name, []]))
  for (let round = 0; round < (isQuick ? 1 : ROUNDS); round++) {
    for (const { name, command, path } of subjects) {
      const server = await serve(command)
      try {
        const sent: Sent = { over: 'http', path, bodies: [TITLES.body], status: 202 }
        await throughput(server, sent, connections, 1)
        runs.get(name)?.push(await throughput(server, sent, connections, isQuick ? 1 : 2))
      } finally {
        await server.stop()
      }
    }
  }
  return new Map([...runs].map(([name, each]) => [name, medians(each)]))
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
