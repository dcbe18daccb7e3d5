import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import { newCollection } from '#test/contracts/store.ts'
import { eventually, freePort } from '#test/mill.ts'
import { type Services, startServices } from '#test/services/services.ts'
import { quiet } from '#test/telemetry.ts'
import { type MongodbOptions, mongodbStore } from './mongodb.ts'

/** What outlasts an outage, and a server that is there but says nothing. */

let services: Services
let store: Store
const collection = newCollection()

beforeAll(async () => {
  const mongodbPort = await freePort()
  services = await startServices({ dir: `.millrace/store-outage-${process.pid}`, mongodbPort, kafka: false })
  store = mongodbStore({ ...quiet(), uri: services.mongodbUri, database: 'store' })
  await store.prepare([collection])
})

afterAll(async () => {
  await store?.close()
  await services?.stop()
})

test('given a watch when the server dies, then it throws an outage, and a new one resumes afterwards', async () => {
  const { signal } = new AbortController()
  const inserts = store.watch(collection, { signal })[Symbol.asyncIterator]()
  let resume: string | undefined
  const first = inserts.next().then(({ value }) => {
    resume = value.resume
  })
  await eventually(async () => {
    await store.insert(collection, [{ _id: randomUUID() }])
    expect(resume).toBeDefined()
  })
  await first
  const rest = (async () => {
    while (!(await inserts.next()).done);
  })()
  await Promise.all([expect(rest).rejects.toBeInstanceOf(Unavailable), services.mongod.kill()])
  await services.mongod.start()
  await eventually(() => store.insert(collection, [{ _id: 'missed' }]))
  const stopping = new AbortController()
  const seen: string[] = []
  for await (const { document } of store.watch(collection, { resume: resume ?? '', signal: stopping.signal })) {
    seen.push(document._id)
    if (document._id === 'missed') stopping.abort()
  }
  expect(seen.at(-1)).toBe('missed')
  expect(new Set(seen).size).toBe(seen.length)
})

test.each<Partial<MongodbOptions>>([{ answerWithinMs: 1000 }, { selectWithinMs: 500 }])(
  'given a server that hangs, then calls are refused once their time is over, and answered when it goes on (%o)',
  async (options) => {
    const hasty = mongodbStore({ ...quiet(), uri: services.mongodbUri, database: 'store', ...options })
    const calls: (() => Promise<unknown>)[] = [
      () => hasty.insert(collection, [{ _id: 'hung' }]),
      () => hasty.commit([{ collection, put: [{ _id: randomUUID() }] }]),
      () => hasty.get(collection, ['hung']),
      () => hasty.find(collection, { index: 'time', limit: 1 }),
      () => hasty.remove(collection, ['none']),
      () => hasty.ping(),
    ]
    // So that each finds a connection, and hangs on it.
    await Promise.all([...calls, ...calls, ...calls].map((call) => call()))
    services.mongod.pause()
    const before = Date.now()
    const ends = await Promise.allSettled(calls.map((call) => call())).finally(() => services.mongod.resume())
    for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: { name: 'Unavailable' } })
    expect(Date.now() - before).toBeLessThan(5000)
    const resumed = Date.now()
    await eventually(() => hasty.insert(collection, [{ _id: 'hung' }]))
    expect(Date.now() - resumed).toBeLessThan(5000)
    expect((await hasty.get(collection, ['hung'])).size).toBe(1)
    await hasty.close()
  },
)

test('given a server that responds to heartbeats only, then every call ends in time, however many wait, and the store recovers', async () => {
  const { uri, stall, close } = await stallable(services.mongodbUri)
  const hasty = mongodbStore({ ...quiet(), uri, database: 'store', poolSize: 2, answerWithinMs: 1000 })
  await hasty.ping()
  stall(true)
  await expect(hasty.ping(), 'a ping that finds out that writes fail').rejects.toBeInstanceOf(Unavailable)
  const before = Date.now()
  const calls = Array.from({ length: 20 }, (_, number) => [
    hasty.insert(collection, [{ _id: `stalled-${number}` }]),
    hasty.commit([{ collection, insert: [{ _id: `stalled-commit-${number}` }] }]),
    hasty.get(collection, ['hung']),
  ]).flat()
  for (const end of await Promise.allSettled(calls)) {
    expect(end).toMatchObject({ status: 'rejected', reason: { name: 'Unavailable' } })
  }
  expect(Date.now() - before).toBeLessThan(2000)
  stall(false)
  await eventually(() => hasty.insert(collection, [{ _id: 'worked' }]))
  await hasty.close()
  await close()
})

/** A way to the server that lets heartbeats through but, when told to, no work. */
async function stallable(uri: string) {
  const { port } = new URL(uri)
  let isStalled = false
  const proxy = createServer((client) => {
    const server = connect(Number(port), '127.0.0.1')
    const close = () => [client, server].map((end) => end.destroy())
    let isDead = false
    client.on('data', (message) => {
      isDead ||= isStalled && /insert|update|find/.test(message.toString('latin1'))
      if (!isDead) server.write(message)
    })
    server.on('data', (message) => client.write(message))
    for (const end of [client, server]) end.on('close', close).on('error', close)
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  return {
    uri: uri.replace(port, `${(proxy.address() as AddressInfo).port}`),
    stall: (stalled: boolean) => {
      isStalled = stalled
    },
    close: () => new Promise((resolve) => proxy.close(resolve)),
  }
}
