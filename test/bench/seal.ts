import { Agent, request } from 'undici'
import { bodyHash, newId } from '#core/ids.ts'
import type { Vouched } from '#core/seals.ts'
import tutorials from '#domains/tutorials/domain.ts'
import { judge } from '#functions/persist/envelope.ts'
import { type Sent, TITLES, throughput } from './load.ts'
import { atMost, type Figure } from './report.ts'
import { newSandbox, type Pair, prepare, type Sandbox, SEALS } from './sandbox.ts'
import { ours, type Served, serve } from './served.ts'

const TITLE = 'How water turns a wheel, and a wheel a stone'
const IN_FLIGHT = 100

/** Row n: the cost of a seal as a share of the CPU time of publish and persist, each in its own process behind HTTP. */
export async function sealing(pairs: Pair[], isQuick: boolean): Promise<Figure[]> {
  const times = isQuick ? 20_000 : 200_000
  const judged = judge({ seals: SEALS, unsealed: 'plain' }, new Set())
  const { attributes, seal } = sealed()
  const event = { ...attributes, seal, data: TITLE }
  const making = cpuOf(times, () => SEALS.seal(vouchedOf('an-id')))
  const judging = cpuOf(times, () => judged(event, TITLE))
  const figures: Figure[] = [
    { row: 'n', name: 'publish seals a command', value: making, unit: 'CPU us' },
    { row: 'n', name: 'persist judges a delivery', value: judging, unit: 'CPU us' },
  ]
  for (const pair of pairs) {
    const sandbox = newSandbox(pair)
    await prepare(sandbox)
    const seconds = isQuick ? 1 : 4
    figures.push(share(`publish, ${pair} pair`, await cpuServing(sandbox, 'publish', publishing(seconds)), making))
    figures.push(share(`persist, ${pair} store`, await cpuServing(sandbox, 'persist', delivering(seconds)), judging))
  }
  return figures
}

function share(name: string, whole: number, part: number): Figure {
  const value = part / whole
  const ratio = { of: 'it is the seal', value }
  return { row: 'n', name, value: whole, unit: 'CPU us', ratio, aim: atMost(value, 0.03, 'x') }
}

function cpuOf(times: number, work: () => unknown): number {
  for (let warm = 0; warm < times / 10; warm++) work()
  const before = process.cpuUsage()
  for (let done = 0; done < times; done++) work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / times
}

/** The CPU time of the server for each request of `load`, in microseconds. */
type Load = (server: Served) => Promise<number>

async function cpuServing({ env, root }: Sandbox, target: 'publish' | 'persist', load: Load): Promise<number> {
  const server = await serve(ours({ ...env, FUNCTION_TARGET: target }, root))
  try {
    await load(server)
    return await load(server)
  } finally {
    await server.stop()
  }
}

const publishing =
  (seconds: number): Load =>
  async (server) => {
    const sent: Sent = { over: 'http', path: TITLES.path, bodies: [TITLES.body], status: 202 }
    return (await throughput(server, sent, 32, seconds)).cpuMicros
  }

/** Delivers as a KafkaSource does, with a hundred in flight. */
const delivering =
  (seconds: number): Load =>
  async (server) => {
    const dispatcher = new Agent({ connections: IN_FLIGHT, pipelining: 1 })
    const until = performance.now() + seconds * 1000
    const before = server.cpu()
    let count = 0
    async function deliver(): Promise<void> {
      while (performance.now() < until) {
        const { attributes, seal } = sealed()
        const named = Object.entries({ ...attributes, seal }).map(([name, value]) => [`ce-${name}`, value])
        const headers = { ...Object.fromEntries(named), 'content-type': 'text/vnd.millrace.title; charset=utf-8' }
        const { statusCode, body } = await request(server.url, { dispatcher, method: 'POST', headers, body: TITLE })
        await body.dump()
        if (statusCode !== 204) throw new Error(`persist answered ${statusCode}`)
        count++
      }
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, deliver))
    const cpu = (server.cpu() - before) / count
    await dispatcher.close()
    return cpu
  }

const vouchedOf = (id: string): Vouched => ({
  topic: tutorials.topic.name,
  id,
  type: 'tutorials.publish',
  time: Date.now(),
  stream: `tutorial/${id}`,
  actor: 'anonymous',
  body: bodyHash('tutorials.publish', TITLE),
})

function sealed() {
  const vouched = vouchedOf(newId(Date.now()))
  const attributes = {
    specversion: '1.0',
    id: vouched.id,
    source: '/millrace/publish#tutorials-topic',
    type: vouched.type,
    subject: vouched.stream,
    partitionkey: vouched.stream,
    time: new Date(vouched.time).toISOString(),
    bodyhash: vouched.body,
    actor: vouched.actor,
    knativekafkapartition: '0',
    knativekafkaoffset: '0',
  }
  return { attributes, seal: SEALS.seal(vouched) }
}
