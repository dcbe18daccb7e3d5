import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { Agent } from 'undici'
import type { Served } from './served.ts'

const AUTOCANNON = resolve('node_modules/autocannon/autocannon.js')
const BODY = JSON.stringify({ title: 'How water turns a wheel, and a wheel a stone' })
const WAIT_S = 10

/** What clients ask for, and the answer once it is stored. A sum has the same one after the wait: its time tells. */
export const TITLES = { path: '/api/tutorials', body: BODY, stored: 201 }
export const ADDITIONS = { path: '/api/sums', body: JSON.stringify({ firstNumber: 2, secondNumber: 3 }), stored: 200 }
const JSON_TYPE = { 'content-type': 'application/json' }

export interface Throughput {
  perSecond: number
  cpuMicros: number
}

/** Closed loop: each connection sends its next request when the last is answered. All answers must be 202. */
export async function throughput(server: Served, path: string, connections: number, seconds: number) {
  const args = ['--json', '-c', connections, '-d', seconds, '-m', 'POST', '-H', 'content-type=application/json']
  const before = server.cpu()
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [AUTOCANNON, ...args.map(String), '-b', BODY, server.url + path],
    { maxBuffer: 2 ** 24 },
  )
  const result = JSON.parse(stdout) as { '2xx': number; non2xx: number; errors: number; duration: number }
  if (result.non2xx + result.errors > 0 || result['2xx'] === 0) {
    throw new Error(`${server.url}${path}: ${result['2xx']} good, ${result.non2xx} bad, ${result.errors} errors`)
  }
  const count = result['2xx']
  return { perSecond: count / result.duration, cpuMicros: (server.cpu() - before) / count } satisfies Throughput
}

/**
 * Open loop: requests leave by the clock, however slow the answers. Each is timed from when it was due, so that a stall
 * counts for all that it held up. Resolves with the milliseconds until the outcome that says that it is stored, in order.
 */
export async function openLoop(
  url: string,
  perSecond: number,
  seconds: number,
  { path, body: asked, stored } = TITLES,
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
      body: asked,
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
  return times.sort((a, b) => a - b)
}

export const percentile = (sorted: number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

export const median = (values: number[]): number =>
  percentile(
    [...values].sort((a, b) => a - b),
    0.5,
  )
