import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'
import { credentials, loadPackageDefinition, type ServiceClientConstructor, type ServiceError } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import type { Sent } from './load.ts'
import { percentile, sorted } from './percentile.ts'

/** Clients in their own process, with the job on standard input and the results on standard output. */
export type Job = Sent & { to: string; clients: number; seconds: number }

export interface Seen {
  count: number
  perSecond: number
  p50: number
  p99: number
}

type Autocannon = (options: object) => Promise<{ duration: number; errors: number }> & {
  on(name: 'response', listener: (client: unknown, status: number, bytes: number, ms: number) => void): void
}
const autocannon: Autocannon = createRequire(import.meta.url)('autocannon')

const job = JSON.parse(await text(process.stdin)) as Job
const times: number[] = []
const seconds = await (job.over === 'grpc' ? grpc(job) : http(job))
const ordered = sorted(times)
const count = times.length
if (count === 0) throw new Error(`${job.to} answered nothing`)
const seen: Seen = { count, perSecond: count / seconds, p50: percentile(ordered, 0.5), p99: percentile(ordered, 0.99) }
console.log(JSON.stringify(seen))

/** Sends over a connection for each client. Resolves with the duration in seconds. */
async function http(job: Job & { over: 'http' | 'reads' }) {
  const { to: url, status, clients, seconds } = job
  const requests = job.over === 'http' ? postsOf(job) : job.paths.map((path) => ({ path, headers: job.headers }))
  const running = autocannon({ url, connections: clients, duration: seconds, requests, idReplacement: isKeyed(job) })
  const bad = new Map<number, number>()
  running.on('response', (_, answered, __, ms) => {
    if (answered === status) times.push(ms)
    else bad.set(answered, (bad.get(answered) ?? 0) + 1)
  })
  const { duration, errors } = await running
  if (bad.size + errors > 0) throw new Error(`${url}: ${JSON.stringify([...bad])}, ${errors} errors`)
  return duration
}

function postsOf({ bodies, headers = {} }: Job & { over: 'http' }) {
  return bodies.map((body) => ({ method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body }))
}

/** Replacing ids costs the client time, so it is done only where there are some. */
function isKeyed({ headers = {} }: Job & { over: 'http' | 'reads' }): boolean {
  return Object.values(headers).includes('[<id>]')
}

/** Sends over one connection for all clients, as a gRPC channel does. */
async function grpc({ to, message, clients, seconds }: Job & { over: 'grpc' }) {
  const { SumService } = loadPackageDefinition(loadSync('domains/sums/sums.proto', { keepCase: true }))
  const channel = new (SumService as ServiceClientConstructor)(to, credentials.createInsecure())
  await new Promise<void>((resolve, reject) =>
    channel.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve())),
  )
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const sent = performance.now()
      channel.AddNumbers?.(message, (error: ServiceError | null) => {
        times.push(performance.now() - sent)
        error ? reject(error) : resolve()
      })
    })
  const began = performance.now()
  const elapsed = () => (performance.now() - began) / 1000
  async function client(): Promise<void> {
    while (elapsed() < seconds) await one()
  }
  await Promise.all(Array.from({ length: clients }, client))
  const took = elapsed()
  channel.close()
  return took
}
