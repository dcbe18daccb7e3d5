import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, freePort } from '#test/mill.ts'
import { type Services, startServices } from '#test/services/services.ts'
import { Unavailable } from '../unavailable.ts'
import { newCollection } from './contract.ts'
import { mongodbStore } from './mongodb.ts'
import type { Store } from './store.ts'

/** What outlasts an outage, and a server that is there but says nothing. */

let services: Services
let store: Store
const collection = newCollection()

beforeAll(async () => {
  const mongodbPort = await freePort()
  services = await startServices({ dir: `.millrace/store-outage-${process.pid}`, mongodbPort, kafka: false })
  store = mongodbStore({ uri: services.mongodbUri, database: 'store' })
  await store.prepare([collection])
})

afterAll(async () => {
  await store?.close()
  await services?.stop()
})

test('given a watch when the server dies, then it says that it is away, and goes on from its place afterwards', async () => {
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

test('given a server that hangs, then calls are refused once their time is over, and answered when it goes on', async () => {
  const hasty = mongodbStore({ uri: services.mongodbUri, database: 'store', answerWithinMs: 1000 })
  await hasty.ping()
  services.mongod.pause()
  const before = Date.now()
  const ends = await Promise.allSettled([
    hasty.insert(collection, [{ _id: 'hung' }]),
    hasty.increment(collection, ['counter']),
    hasty.get(collection, ['hung']),
  ]).finally(() => services.mongod.resume())
  for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: { name: 'Unavailable' } })
  expect(Date.now() - before).toBeLessThan(8000)
  const resumed = Date.now()
  await eventually(() => hasty.insert(collection, [{ _id: 'hung' }]))
  expect(Date.now() - resumed).toBeLessThan(5000)
  expect((await hasty.get(collection, ['hung'])).size).toBe(1)
  await hasty.close()
})
