import { ADDITIONS, medians, type Sent, type Throughput, throughput } from './load.ts'
import { newPlace, prepare } from './place.ts'
import type { Figure } from './report.ts'
import { type Command, forgetful, ours, serve } from './served.ts'

const REST = 'POST /api/sums'
const ROUNDS = 3
const WARM = { clients: 32, seconds: 2 }

const post: Sent = { over: 'http', path: ADDITIONS.path, bodies: [ADDITIONS.body], status: 200 }
const call: Sent = { over: 'grpc', message: JSON.parse(ADDITIONS.body) }

/** Row j: the same sums by the two ways into publish, each a process of its own. They take turns, and the median counts. */
export async function calls(isQuick: boolean): Promise<Figure[]> {
  return [
    ...(await compared('a log that forgets', { rest: forgetful, grpc: forgetful }, isQuick)),
    ...(await compared('embedded', { rest: await publish('publish'), grpc: await publish('grpc') }, isQuick)),
  ]
}

async function publish(target: 'publish' | 'grpc'): Promise<Command> {
  const place = newPlace('embedded')
  await prepare(place)
  return { ...ours({ ...place.env, FUNCTION_TARGET: target }, place.root), isGrpc: target === 'grpc' }
}

async function compared(log: string, commands: { rest: Command; grpc: Command }, isQuick: boolean): Promise<Figure[]> {
  const figures: Figure[] = []
  const [rest, grpc] = [await serve(commands.rest), await serve(commands.grpc)]
  try {
    const posts = (clients: number, seconds: number) => throughput(rest, post, clients, seconds)
    const calls = (clients: number, seconds: number) => throughput(grpc, call, clients, seconds)
    for (const way of [posts, calls]) await way(WARM.clients, isQuick ? 0.5 : WARM.seconds)
    for (const inFlight of isQuick ? [32] : [1, 32, 128]) {
      const [posted, called]: [Throughput[], Throughput[]] = [[], []]
      for (let round = 0; round < (isQuick ? 1 : ROUNDS); round++) {
        posted.push(await posts(inFlight, isQuick ? 1 : 2))
        called.push(await calls(inFlight, isQuick ? 1 : 2))
      }
      figures.push(...figuresOf(`gRPC, ${log}, ${inFlight} in flight`, medians(called), medians(posted)))
    }
  } finally {
    await Promise.all([rest.stop(), grpc.stop()])
  }
  return figures
}

const UNITS = { perSecond: 'requests/s', cpuMicros: 'CPU us/request', p50: 'ms, p50', p99: 'ms, p99' } as const

const figuresOf = (name: string, called: Throughput, posted: Throughput): Figure[] =>
  Object.entries(UNITS).map(([key, unit]) => {
    const value = called[key as keyof Throughput]
    return { row: 'j', name, value, unit, ratio: { of: REST, value: value / posted[key as keyof Throughput] } }
  })
