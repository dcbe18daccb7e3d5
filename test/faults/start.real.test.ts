import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { kafkaLog } from '#adapters/log/kafka.ts'
import { readConfig } from '#main/config.ts'
import { authorized, trustedIssuer } from '../auth/tokens.ts'
import { type Door, doorTo } from '../door.ts'
import { grpcClient, SUMS } from '../grpc.ts'
import { eventually, send } from '../mill.ts'
import { receiver } from '../receiver.ts'
import { type Run, runTarget, START_MS } from '../target.ts'

/**
 * Starts every target while its servers are unavailable. The servers return one after another, in every order, and each process
 * must recover by itself. The servers are real and shared; a closed door in front of each simulates an outage.
 */

type Server = 'kafka' | 'mongodb' | 'issuer' | 'persist'

const { KAFKA_BROKERS, MONGODB_URI } = readConfig(process.env)
/** A generous limit for a busy machine. An idle one takes two or three seconds. */
const RETURN_MS = 30_000
const UNAVAILABLE = 14
const database = `start_${process.pid}`

const runs: Run[] = []
const doors: Door[] = []

afterEach(async () => {
  await Promise.all(runs.splice(0).map((run) => run.stop()))
  for (const door of doors.splice(0)) door.close()
})

const portOf = (address: string): number => Number(/:(\d+)(?!.*:\d)/.exec(address)?.[1])

async function doorsTo(...ports: number[]): Promise<Door[]> {
  const made = await Promise.all(ports.map((port) => doorTo(port)))
  doors.push(...made)
  return made
}

interface Place {
  run: Run
  /** Makes this server reachable. */
  open(server: Server): Promise<void>
}

/** Starts a target whose servers are all unreachable. */
async function startAway(target: Parameters<typeof runTarget>[0], persistPort = 0): Promise<Place> {
  const issuer = (await trustedIssuer()).url
  const kafka = await doorsTo(...KAFKA_BROKERS.map(portOf))
  const [mongodb, keys, persist] = await doorsTo(portOf(MONGODB_URI), portOf(issuer), persistPort)
  const behind = { kafka, mongodb: [mongodb], issuer: [keys], persist: [persist] }
  const run = await runTarget(target, {
    LOG: 'kafka',
    STORE: 'mongodb',
    KAFKA_BROKERS: kafka.map(({ port }) => `127.0.0.1:${port}`).join(','),
    MONGODB_URI: MONGODB_URI.replace(/:\d+(?=\/|$)/, `:${mongodb?.port}`),
    MONGODB_DATABASE: database,
    OIDC_ISSUER: target === 'dev' ? '' : issuer,
    OIDC_URL: target === 'dev' ? '' : `http://127.0.0.1:${keys?.port}`,
    PERSIST_URL: `http://127.0.0.1:${persist?.port}/`,
    RECEIPT_SECRET: 'the secret of the start tests that is long',
  })
  runs.push(run)
  return {
    run,
    async open(server) {
      await Promise.all(behind[server].map((door) => door?.open()))
    },
  }
}

function orders<Item>(items: Item[]): Item[][] {
  if (items.length < 2) return [items]
  return items.flatMap((first) => orders(items.filter((item) => item !== first)).map((rest) => [first, ...rest]))
}

/** Runs the cases concurrently, since each process mostly waits. */
async function inEveryOrder(servers: Server[], look: (order: Server[]) => Promise<void>): Promise<void> {
  const all = orders(servers)
  const ends = await Promise.allSettled(all.map(look))
  const failed = ends.flatMap((end, at) => (end.status === 'rejected' ? [`${all[at]}: ${end.reason.stack}`] : []))
  expect(failed.join('\n\n')).toBe('')
}

const soon = <Result>(look: () => Promise<Result>) => eventually(look, { within: RETURN_MS, every: 100 })

async function expectAway({ url }: Run, ...parts: string[]): Promise<void> {
  const deep = (await (await fetch(`${url}/health/deep`)).json()) as { parts: Record<string, string> }
  const away = Object.entries(deep.parts).filter(([, state]) => state === 'away')
  expect(away.map(([part]) => part).sort()).toEqual(parts.sort())
  for (const path of ['live', 'ready']) expect((await fetch(`${url}/health/${path}`)).status, path).toBe(200)
}

const PARTS: Partial<Record<Server, string>> = { kafka: 'log', mongodb: 'store' }
const partsOf = (servers: Server[]): string[] => servers.flatMap((server) => PARTS[server] ?? [])

/** Opens the doors in this order. After each it calls `look` with the open ones, until the process has noticed. */
async function letReturn({ run, open }: Place, order: Server[], look?: (open: Server[]) => Promise<void>) {
  await expectAway(run, ...partsOf(order))
  for (const [at, server] of order.entries()) {
    await look?.(order.slice(0, at))
    await open(server)
    await soon(() => expectAway(run, ...partsOf(order.slice(at + 1))))
  }
  await look?.(order)
}

const log = kafkaLog({ brokers: KAFKA_BROKERS, replication: 3, maxBuffered: 10 })

beforeAll(async () => {
  const prepared = await runTarget('prepare', { LOG: 'kafka', STORE: 'mongodb', MONGODB_DATABASE: database })
  expect(await prepared.ended, prepared.output()).toBe(0)
})
afterAll(() => log.close())

test('publish recovers by itself, in whatever order its servers return', () =>
  inEveryOrder(['kafka', 'mongodb', 'issuer'], async (order) => {
    const place = await startAway('publish')
    const token = await authorized('member')
    await letReturn(place, order, async (open) => {
      const url = `${place.run.url}/api/tutorials`
      const wanted = open.includes('kafka') ? 202 : 503
      await soon(async () => expect((await send(url, { title: 'Anybody' })).status).toBe(wanted))
      const status = open.includes('issuer') ? wanted : 503
      await soon(async () => expect((await send(url, { title: 'Member' }, token)).status).toBe(status))
    })
  }))

test('grpc recovers by itself, in whatever order its servers return', () =>
  inEveryOrder(['kafka', 'mongodb', 'issuer'], async (order) => {
    const place = await startAway('grpc')
    const token = await authorized('member')
    const client = grpcClient(place.run.grpc, SUMS, 'SumService')
    await letReturn(place, order, async (open) => {
      const isWell = open.includes('issuer') && open.includes('kafka')
      const sum = { firstNumber: 1, secondNumber: 2, requestId: crypto.randomUUID() }
      await soon(async () => {
        const { message, error } = await client.call('AddNumbers', sum, token)
        expect(message ?? error?.code).toEqual(isWell ? { result: 3 } : UNAVAILABLE)
      })
    })
    client.close()
  }))

test('query recovers by itself, in whatever order its servers return', () =>
  inEveryOrder(['mongodb', 'issuer'], async (order) => {
    const place = await startAway('query')
    const token = await authorized('member')
    await letReturn(place, order, async (open) => {
      const url = `${place.run.url}/api/tutorials`
      await soon(async () => expect((await fetch(url)).status).toBe(open.includes('mongodb') ? 200 : 503))
      const status = open.length === 2 ? 200 : 503
      await soon(async () => expect((await fetch(url, { headers: token })).status).toBe(status))
    })
  }))

test('persist applies deliveries from an outage of MongoDB within seconds of its return', async () => {
  const place = await startAway('persist')
  const deliver = (offset: number) =>
    fetch(`${place.run.url}/`, {
      method: 'POST',
      headers: {
        'ce-specversion': '1.0',
        'ce-id': `partition:0/offset:${offset}`,
        'ce-type': 'dev.knative.kafka.event',
        'ce-source': '/apis/v1/namespaces/millrace/kafkasources/tutorials#tutorials-topic',
        'ce-time': new Date().toISOString(),
        'ce-knativekafkapartition': '0',
        'ce-knativekafkaoffset': `${offset}`,
      },
      body: 'Delivered to a persist that has no store',
    })
  await expectAway(place.run, 'store')
  const held = [deliver(900_001), deliver(900_002)]
  await expectAway(place.run, 'store')
  await place.open('mongodb')
  const before = Date.now()
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual([204, 204])
  expect(Date.now() - before).toBeLessThan(RETURN_MS)
  await soon(() => expectAway(place.run))
  expect((await deliver(900_003)).status).toBe(204)
})

test('prepare and make dev wait, say for which server, and work, in whatever order the servers return', () =>
  inEveryOrder(['kafka', 'mongodb'], async ([first, second]) => {
    const places = await Promise.all([startAway('prepare'), startAway('dev')])
    const [{ run: prepare }, { run: dev }] = places
    for (const { run } of places) {
      for (const part of ['log', 'store']) {
        const waits = new RegExp(`"message":"${part}: .*"msg":"waiting"`)
        await eventually(async () => expect(run.output()).toMatch(waits), { within: START_MS, every: 100 })
      }
    }
    for (const place of places) await place.open(first as Server)
    expect([prepare.hasEnded(), dev.hasEnded()]).toEqual([false, false])
    for (const place of places) await place.open(second as Server)
    expect(await prepare.ended, prepare.output()).toBe(0)
    await soon(async () => {
      const answer = await send(`${dev.url}/api/tutorials`, { title: 'At last' }, { prefer: 'wait=10' })
      expect(answer.status).toBe(201)
    })
    await soon(() => expectAway(dev))
  }))

/** These cases run one after another, since two sources would share the records. */
test.each(orders<Server>(['kafka', 'persist']).map((order) => [order.join(', '), order] as const))(
  'the source delivers by itself when its servers return in the order %s',
  async (_, order) => {
    const sink = await receiver(() => ({ status: 204 }))
    const place = await startAway('source', portOf(new URL(sink.url).origin))
    const title = `For the source ${crypto.randomUUID()}`
    await log.append('tutorials-topic', { key: null, value: title })
    await expectAway(place.run, 'log')
    for (const server of order) await place.open(server)
    await soon(async () => expect(sink.received.map(({ body }) => String(body))).toContain(title))
    await soon(() => expectAway(place.run))
    sink.close()
  },
)

test('a source that waits for its brokers stops on request', async () => {
  const { run } = await startAway('source')
  await expectAway(run, 'log')
  expect(await run.stop()).toBe(0)
})
