import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { Agent } from 'undici'
import type { Job, Seen } from './clients.ts'
import { median, sorted } from './percentile.ts'
import type { Served } from './served.ts'

const CLIENTS = resolve('test/bench/clients.ts')
const BODY = JSON.stringify({ title: 'How water turns a wheel, and a wheel a stone' })
const WAIT_S = 10

/** A request, and its response once the result is stored. A sum has the same response later, so its time counts. */
export const TITLES = { path: '/api/tutorials', body: BODY, stored: 201 }
export const ADDITIONS = { path: '/api/sums', body: JSON.stringify({ firstNumber: 2, secondNumber: 3 }), stored: 200 }
const JSON_TYPE = { 'content-type': 'application/json' }

/** The requests that each client sends repeatedly. */
export type Sent =
  | { over: 'http'; path: string; bodies: string[]; type?: string; status: number }
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
  { path, body: sentBody, stored } = TITLES,
): Promise<number[]> {
  const dispatcher = new Agent({ connections: 512, pipelining: 1 })
  const { request } = await import('undici')
  const times: number[] = []
  const bad = new Map<number, number>()
  const total = perSecond * seconds
  const begin = performance.now()
  const dueAt = (index: number) => begin + (index * 1000) / perSecond

  async function one(due: number): Promise<void> {
    const { statusCode, body } = await request(url + path, {
      dispatcher,
      method: 'POST',
      headers: { ...JSON_TYPE, prefer: `wait=${WAIT_S}` },
      body: sentBody,
    })
    await body.dump()
    if (statusCode === stored) times.push(performance.now() - due)
    else bad.set(statusCode, (bad.get(statusCode) ?? 0) + 1)
  }

  const under: Promise<void>[] = []
  while (under.length < total) {
    while (under.length < total && dueAt(under.length) <= performance.now()) under.push(one(dueAt(under.length)))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(under)
  await dispatcher.close()
  if (bad.size > 0) throw new Error(`not stored within ${WAIT_S} s: ${JSON.stringify([...bad])}`)
  return sorted(times)
}
