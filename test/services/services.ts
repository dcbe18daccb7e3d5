import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { brokersAt, cluster, expectWhole, type Properties } from './kafka.ts'
import { mongodbServer, mongodbUriAt } from './mongodb.ts'
import { identify, isRunning } from './process.ts'
import type { Server } from './server.ts'
import { type Addresses, killServices, readState, stopServices, writeState } from './state.ts'

export interface ServicesOptions {
  /** Data, logs and state. One set of servers in it at a time. */
  dir: string
  /** The first of three; the controllers listen ten above. */
  kafkaPort?: number
  mongodbPort?: number
  kafka?: boolean
  mongodb?: boolean
  brokerProperties?: Properties
  /** They outlive this process, and go on with the data of `dir`. */
  lasting?: boolean
}

export interface Services extends Addresses {
  broker(n: 1 | 2 | 3): Server
  mongod: Server
  /** Kills what was started here and removes its data. */
  stop(): Promise<void>
}

export const KAFKA_PORT = 19092
export const MONGODB_PORT = 27117

/** Three real brokers and a MongoDB on 127.0.0.1, from nothing. Resolves when all of them answer. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { dir, kafkaPort = KAFKA_PORT, mongodbPort = MONGODB_PORT, kafka = true, mongodb = true } = options
  const { brokerProperties: properties = {}, lasting = false } = options
  await clear(dir, lasting)
  await Promise.all(
    [...(kafka ? [0, 1, 2].map((n) => kafkaPort + n) : []), ...(mongodb ? [mongodbPort] : [])].map(expectFree),
  )
  mkdirSync(dir, { recursive: true })
  const addresses = { brokers: brokersAt(kafkaPort), mongodbUri: mongodbUriAt(mongodbPort) }
  const owner = lasting ? undefined : identify(process.pid)
  const servers: Server[] = []
  const onStart = () => {
    const identities = servers.flatMap((server) => identify(server.pid()) ?? [])
    writeState(dir, { ...addresses, identities, ...(owner ? { owner } : {}) })
  }
  const nodes = kafka ? await cluster({ dir, port: kafkaPort, properties, onStart }) : []
  const mongod = mongodb ? await mongodbServer(dir, mongodbPort, onStart) : undefined
  servers.push(...nodes, ...(mongod ? [mongod] : []))
  const stop = () => stopServices(dir)
  try {
    await Promise.all(servers.map((server) => server.start()))
    if (kafka) await whole(addresses.brokers)
  } catch (error) {
    await (lasting ? killServices(dir) : stop())
    throw error
  }
  return {
    ...addresses,
    broker: (n) => asked(nodes[n - 1], `broker ${n}`),
    get mongod() {
      return asked(mongod, 'MongoDB')
    },
    stop,
  }
}

/** Takes over a folder from a set that was cut short. */
async function clear(dir: string, lasting: boolean): Promise<void> {
  const owner = readState(dir)?.owner
  if (owner && isRunning(owner))
    throw new Error(`The servers of ${dir} belong to process ${owner.pid}, which still runs.`)
  await (lasting ? killServices(dir) : stopServices(dir))
}

/** Else whoever has the port would be taken for our server. */
function expectFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (cause) => reject(new Error(`Port ${port} is taken.`, { cause })))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()))
  })
}

function asked(server: Server | undefined, name: string): Server {
  if (!server) throw new Error(`${name} was not asked for`)
  return server
}

const WHOLE_WITHIN_MS = 5 * 60_000

async function whole(brokers: string[]): Promise<void> {
  const deadline = Date.now() + WHOLE_WITHIN_MS
  for (;;) {
    try {
      return await expectWhole(brokers)
    } catch (error) {
      if (Date.now() > deadline) throw error
      await setTimeout(100)
    }
  }
}
