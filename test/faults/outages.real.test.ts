import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { kafkaLog } from '#adapters/log/kafka.ts'
import { grpcClient, history, SUMS } from '../grpc.ts'
import { expectOnTopic, expectStored, type Responses, startLoad, stored } from '../load.ts'
import { discard, eventually, expectProblem, type Mill, send, startMill } from '../mill.ts'
import { type Services, startServices } from '../services/services.ts'

const MINUTE = 60_000

let services: Services
let mill: Mill

const start = (dir?: string) =>
  startMill({
    pair: 'real',
    ...(dir ? { dir } : {}),
    env: {
      KAFKA_BROKERS: services.brokers.join(','),
      MONGODB_URI: services.mongodbUri,
      MONGODB_DATABASE: 'faults',
    },
  })

beforeAll(async () => {
  services = await startServices({ dir: '.millrace/fault-services', kafkaPort: 19492, mongodbPort: 27517 })
  mill = await start()
}, 2 * MINUTE)

beforeEach(({ onTestFailed }) => {
  onTestFailed(() => console.log(mill.output().slice(-4000)))
})

afterAll(async () => {
  await mill?.kill()
  await services?.stop()
  if (mill) discard(mill)
})

/** Compares the responses of clients with the whole topic and with the stored documents. */
async function expectNothingLost(responses: Responses): Promise<void> {
  const log = kafkaLog({ brokers: services.brokers, replication: 3, maxBuffered: 1 })
  const onTopic = new Map<string, number>()
  for await (const { value } of log.scan('tutorials-topic')) {
    const title = String(value)
    onTopic.set(title, (onTopic.get(title) ?? 0) + 1)
  }
  await log.close()
  expectOnTopic(responses, onTopic)
  const counts = await eventually(
    async () => {
      const counts = await stored(mill)
      for (const title of onTopic.keys()) if (!counts.has(title)) throw new Error(`${title} is not stored yet`)
      return counts
    },
    { within: MINUTE, every: 200 },
  )
  expectStored(responses, counts)
}

const until = (load: { responses: Responses }, more: number) => {
  const wanted = load.responses.acknowledged.size + more
  return eventually(async () => expect(load.responses.acknowledged.size).toBeGreaterThan(wanted), { within: MINUTE })
}

test(
  'killing and pausing each broker in turn under load loses no acknowledged command, and duplicates none',
  async () => {
    const load = startLoad(() => mill, 16)
    for (const n of [1, 2, 3] as const) {
      await until(load, 200)
      await services.broker(n).kill()
      await until(load, 200)
      await services.broker(n).start()
      await until(load, 200)
      services.broker(n).pause()
      await until(load, 100)
      services.broker(n).resume()
    }
    await until(load, 200)
    await load.stop()
    await expectNothingLost(load.responses)
  },
  5 * MINUTE,
)

test(
  'killing publish and persist under load, also between acknowledgement and response, loses nothing',
  async () => {
    const load = startLoad(() => mill, 16)
    for (let round = 0; round < 3; round++) {
      await until(load, 200)
      await mill.kill()
      mill = await start(mill.dir)
    }
    await load.stop()
    await expectNothingLost(load.responses)
  },
  3 * MINUTE,
)

test(
  'while the store is down publish returns 202 and reads are 503, and work resumes within seconds of its return',
  async () => {
    await services.mongod.kill()
    const load = startLoad(() => mill, 4)
    await until(load, 50)
    await expectProblem(await fetch(`${mill.query}/api/tutorials`), 503)
    const waited = await send(`${mill.publish}/api/tutorials`, { title: 'Wait for nothing' }, { prefer: 'wait=1' })
    expect(waited.status).toBe(202)
    const { receipt } = (await waited.json()) as { receipt: string }
    await load.stop()
    expect([...load.responses.refused, ...load.responses.repeated]).toEqual([])
    await services.mongod.start()
    await eventually(
      async () => expect(await (await fetch(mill.query + receipt)).json()).toMatchObject({ status: 'applied' }),
      { within: 15_000 },
    )
    await expectNothingLost(load.responses)
  },
  2 * MINUTE,
)

test(
  'without Kafka commands are 503 with Retry-After or UNAVAILABLE within 2 s, reads continue, and publish recovers by itself',
  async () => {
    await Promise.all(([1, 2, 3] as const).map((n) => services.broker(n).kill()))
    for (let attempt = 0; attempt < 3; attempt++) {
      const before = Date.now()
      const answer = await send(`${mill.publish}/api/tutorials`, { title: `No one hears ${attempt}` })
      expect(Date.now() - before).toBeLessThan(2000)
      expect(answer.headers.get('retry-after')).toBe('1')
      const problem = await expectProblem(answer, 503)
      expect(problem).toMatchObject({ id: expect.any(String), idempotencyKey: expect.any(String) })
    }
    const requestId = crypto.randomUUID()
    const sum = { firstNumber: 20, secondNumber: 22, requestId }
    const client = grpcClient(mill.grpc, SUMS, 'SumService')
    for (let attempt = 0; attempt < 3; attempt++) {
      const before = Date.now()
      const { error, trailers } = await client.call('AddNumbers', sum)
      expect(Date.now() - before).toBeLessThan(2000)
      expect(error?.code).toBe(status.UNAVAILABLE)
      expect(trailers).toMatchObject({ 'idempotency-key': requestId, unknown: expect.stringMatching(/^(true|false)$/) })
    }
    expect((await fetch(`${mill.query}/api/tutorials`)).status).toBe(200)
    await Promise.all(([1, 2, 3] as const).map((n) => services.broker(n).start()))
    const healed = await eventually(
      async () => {
        const answer = await send(`${mill.publish}/api/tutorials`, { title: 'Healed' }, { prefer: 'wait=15' })
        expect(answer.status).toBe(201)
        return answer
      },
      { within: MINUTE, every: 500 },
    )
    expect(healed.status).toBe(201)
    expect((await client.call('AddNumbers', sum, { prefer: 'wait=15' })).message).toEqual({ result: 42 })
    client.close()
    const sums = async () => (await history(mill.query)).filter((sum) => sum.requestId === requestId)
    await eventually(async () => expect(await sums()).toHaveLength(1), { within: MINUTE })
  },
  3 * MINUTE,
)

test(
  'without two of three brokers nothing is acknowledged, commands are 503 within 2 s, reads continue, and everything recovers',
  async () => {
    const load = startLoad(() => mill, 8)
    await until(load, 200)
    const gone = [services.broker(2), services.broker(3)]
    await Promise.all(gone.map((broker) => broker.kill()))
    await eventually(async () => expectProblem(await send(`${mill.publish}/api/tutorials`, { title: 'Noticed?' }), 503))
    const before = load.responses.acknowledged.size
    for (let attempt = 0; attempt < 10; attempt++) {
      const began = Date.now()
      const answer = await send(`${mill.publish}/api/sums`, { firstNumber: 1, secondNumber: attempt })
      expect(Date.now() - began).toBeLessThan(2000)
      expect(answer.headers.get('retry-after')).toBe('1')
      await expectProblem(answer, 503)
      for (const path of ['/api/tutorials', '/api/final']) expect((await fetch(mill.query + path)).status).toBe(200)
    }
    expect(load.responses.acknowledged.size, 'the one that is left must not acknowledge').toBe(before)
    expect(load.responses.repeated.size + load.responses.refused.size, 'clients felt it').toBeGreaterThan(0)
    await Promise.all(gone.map((broker) => broker.start()))
    await until(load, 200)
    await load.stop()
    await expectNothingLost(load.responses)
  },
  3 * MINUTE,
)

test(
  'a bare title that an old producer writes to the topic is applied once',
  async () => {
    const log = kafkaLog({ brokers: services.brokers, replication: 3, maxBuffered: 10 })
    const title = `Bare ${crypto.randomUUID()}`
    await eventually(() => log.append('tutorials-topic', { key: null, value: title }), { within: MINUTE, every: 500 })
    await log.close()
    await eventually(async () => expect((await stored(mill)).get(title)).toBe(1), { within: MINUTE })
  },
  2 * MINUTE,
)
