import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { Agent, request } from 'undici'
import type { Job, Seen } from './clients.ts'
import { median, sorted } from './percentile.ts'
import type { Served } from './served.ts'

const CLIENTS = resolve('test/bench/clients.ts')
const BODY = JSON.stringify({ title: 'How water turns a wheel, and a wheel a stone' })
const WAIT_S = 10
const ID = '[<id>]'
/** The longest time to a response or a visible document. */
const RESPONSE_MS = 60_000

export interface Posted {
  /** In the path and the headers, each request replaces this by an id of its own: [<id>]. */
  path: string
  body: string
  /** The status once the result is stored. */
  stored: number
  headers?: Record<string, string>
}

/** A sum has the same response later, so its time counts. */
export const TITLES: Posted = { path: '/api/tutorials', body: BODY, stored: 201 }
export const ADDITIONS: Posted = {
  path: '/api/sums',
  body: JSON.stringify({ firstNumber: 2, secondNumber: 3 }),
  stored: 200,
}
const JSON_TYPE = { 'content-type': 'application/json' }

/** The requests that each client sends repeatedly. */
export type Sent =
  | { over: 'http'; path: string; bodies: string[]; headers?: Record<string, string>; status: number }
  | { over: 'reads'; paths: string[]; headers: Record<string, string>; status: number }
  | { over: 'grpc'; message: object }

export interface Throughput {
  perSecond: number
  cpuMicros: number
  /** The milliseconds from a request to its response. */
  p50: number
  p99: number
}

/** A closed loop of clients in their own process. Each sends its next request after the expected response to the last one. */
export async function throughput(server: Served, sent: Sent, clients: number, seconds: number): Promise<Throughput> {
  const to = sent.over === 'grpc' ? server.grpc : server.url + (sent.over === 'http' ? sent.path : '')
  const before = server.cpu()
  const running = promisify(execFile)(process.execPath, [CLIENTS])
  running.child.stdin?.end(JSON.stringify({ ...sent, to, clients, seconds } satisfies Job))
  const { count, ...seen } = JSON.parse((await running).stdout) as Seen
  return { ...seen, cpuMicros: (server.cpu() - before) / count }
}

export const medians = (runs: Throughput[]): Throughput => ({
  perSecond: median(runs.map(({ perSecond }) => perSecond)),
  cpuMicros: median(runs.map(({ cpuMicros }) => cpuMicros)),
  p50: median(runs.map(({ p50 }) => p50)),
  p99: median(runs.map(({ p99 }) => p99)),
})

/**
 * An open loop: requests are sent by the clock, however slow the responses are. Each is timed from its scheduled time, so that a
 * stall counts for every request that it delays. Resolves with the sorted milliseconds until the results are stored.
 */
export async function openLoop(
  url: string,
  perSecond: number,
  seconds: number,
  posted: Posted = TITLES,
): Promise<number[]> {
  const times: number[] = []
  const bad = new Map<number, number>()
  await byTheClock(perSecond, seconds, async (dispatcher, due) => {
    const { status } = await post(dispatcher, url, posted)
    if (status === posted.stored) times.push(performance.now() - due)
    else bad.set(status, (bad.get(status) ?? 0) + 1)
  })
  const ordered = sorted(times)
  if (bad.size > 0) throw new Error(`not stored within ${WAIT_S} s: ${JSON.stringify([...bad])}`)
  return ordered
}

/** An open loop beyond what the server can do. It ends when every request has a response, whichever it is. */
export const overload = (url: string, perSecond: number, seconds: number, posted: Posted): Promise<void> =>
  byTheClock(perSecond, seconds, async (dispatcher) => {
    await post(dispatcher, url, posted)
  })

/** An open loop of posts that do not wait. Resolves with the sorted milliseconds until a query first finds their documents. */
export async function untilVisible(
  url: string,
  perSecond: number,
  seconds: number,
  { path, body }: Posted,
): Promise<number[]> {
  const times: number[] = []
  await byTheClock(perSecond, seconds, async (dispatcher, due) => {
    const { text } = await post(dispatcher, url, { path, body, stored: 202, headers: { prefer: 'respond-async' } })
    const { id } = JSON.parse(text) as { id: string }
    while ((await get(dispatcher, `${url}${path}/${id}`)) !== 200)
      await new Promise((resolve) => setTimeout(resolve, 1))
    times.push(performance.now() - due)
  })
  return sorted(times)
}

async function byTheClock(
  perSecond: number,
  seconds: number,
  one: (dispatcher: Agent, due: number) => Promise<void>,
): Promise<void> {
  const dispatcher = new Agent({ connections: 512, pipelining: 1, headersTimeout: RESPONSE_MS })
  const total = perSecond * seconds
  const begin = performance.now()
  const dueAt = (index: number) => begin + (index * 1000) / perSecond
  const under: Promise<void>[] = []
  while (under.length < total) {
    while (under.length < total && dueAt(under.length) <= performance.now()) {
      under.push(one(dispatcher, dueAt(under.length)))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(under)
  await dispatcher.close()
}

async function post(dispatcher: Agent, url: string, { path, body, headers = {} }: Posted) {
  const id = randomUUID()
  const own = Object.entries(headers).map(([name, value]) => [name, value.replace(ID, id)])
  const answer = await request(url + path.replace(ID, id), {
    dispatcher,
    method: 'POST',
    headers: { ...JSON_TYPE, prefer: `wait=${WAIT_S}`, ...Object.fromEntries(own) },
    body,
  })
  return { status: answer.statusCode, text: await answer.body.text() }
}

async function get(dispatcher: Agent, url: string): Promise<number> {
  const { statusCode, body } = await request(url, { dispatcher })
  await body.dump()
  return statusCode
}
