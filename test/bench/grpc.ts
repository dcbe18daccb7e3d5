import { ADDITIONS, medians, type Sent, type Throughput, throughput } from './load.ts'
import type { Figure } from './report.ts'
import { newSandbox, prepare } from './sandbox.ts'
import { bareGrpc, type Command, discardingLog, ours, serve } from './served.ts'

/** The requests to one server. */
interface Way {
  command: Command
  sent: Sent
}

const REST = 'POST /api/sums'
const BARE = 'bare grpc-js'
const OURS = 'gRPC'
const ROUNDS = 3
const WARM = { clients: 32, seconds: 2 }

const post: Sent = { over: 'http', path: ADDITIONS.path, bodies: [ADDITIONS.body], status: 200 }
const call: Sent = { over: 'grpc', message: JSON.parse(ADDITIONS.body) }

/** Row j: the cost of sums over HTTP and gRPC, and of a server that only adds. They take turns, and the median counts. */
export async function calls(isQuick: boolean): Promise<Figure[]> {
  const onDiscardingLog = { command: discardingLog, sent: call }
  const forgetting = {
    [REST]: { ...onDiscardingLog, sent: post },
    [OURS]: onDiscardingLog,
    [BARE]: { command: bareGrpc, sent: call },
  }
  const [rest, grpc] = [await publish('publish'), await publish('grpc')]
  const embedded = { [REST]: { command: rest, sent: post }, [OURS]: { command: grpc, sent: call } }
  return [
    ...(await compared('a log that forgets', forgetting, isQuick)),
    ...(await compared('embedded', embedded, isQuick)),
  ]
}

async function publish(target: 'publish' | 'grpc'): Promise<Command> {
  const sandbox = newSandbox('embedded')
  await prepare(sandbox)
  return { ...ours({ ...sandbox.env, FUNCTION_TARGET: target }, sandbox.root), isGrpc: target === 'grpc' }
}

async function compared(log: string, ways: { [name: string]: Way }, isQuick: boolean): Promise<Figure[]> {
  const figures: Figure[] = []
  const subjects = await Promise.all(
    Object.entries(ways).map(async ([name, { command, sent }]) => ({ name, sent, server: await serve(command) })),
  )
  try {
    for (const { server, sent } of subjects) await throughput(server, sent, WARM.clients, isQuick ? 0.5 : WARM.seconds)
    for (const inFlight of isQuick ? [32] : [1, 32, 128]) {
      const runs = new Map<string, Throughput[]>(subjects.map(({ name }) => [name, []]))
      for (let round = 0; round < (isQuick ? 1 : ROUNDS); round++) {
        for (const { name, server, sent } of subjects) {
          runs.get(name)?.push(await throughput(server, sent, inFlight, isQuick ? 1 : 1.5))
        }
      }
      const results = new Map([...runs].map(([name, each]) => [name, medians(each)]))
      figures.push(...figuresOf(`gRPC, ${log}, ${inFlight} in flight`, results))
    }
  } finally {
    await Promise.all(subjects.map(({ server }) => server.stop()))
  }
  return figures
}

const UNITS = { perSecond: 'requests/s', cpuMicros: 'CPU us/request', p50: 'ms, p50', p99: 'ms, p99' } as const

function figuresOf(name: string, results: Map<string, Throughput>): Figure[] {
  const beside = (floor: string, key: keyof Throughput): Figure[] => {
    const [value, base] = [results.get(OURS)?.[key], results.get(floor)?.[key]]
    if (value === undefined || base === undefined) return []
    return [{ row: 'j', name, value, unit: UNITS[key], ratio: { of: floor, value: value / base } }]
  }
  const keys = Object.keys(UNITS) as (keyof Throughput)[]
  return [...keys.flatMap((key) => beside(REST, key)), ...beside(BARE, 'cpuMicros')]
}
