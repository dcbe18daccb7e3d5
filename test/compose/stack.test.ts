import { afterAll, beforeAll, expect, test } from 'vitest'
import { kafkaLog } from '#adapters/log/kafka.ts'
import { deadLetters } from '#core/kafka-source-policy.ts'
import { readConfig } from '#main/config.ts'
import { authorized, trustedIssuer } from '../auth/tokens.ts'
import { hasNginx } from '../gateway.ts'
import { grpcClient, history, SUMS } from '../grpc.ts'
import { eventually, send } from '../mill.ts'
import { readModel } from './model.ts'
import { type Stack, startStack } from './native.ts'
import { SECRET } from './rules.ts'

const { KAFKA_BROKERS: brokers, MONGODB_URI } = readConfig(process.env)
const NAMES = ['prepare', 'publish', 'publish-grpc', 'persist', 'query', 'source', 'gateway']
const log = kafkaLog({ brokers, replication: 3, maxBuffered: 10, answerWithinMs: 20_000 })

let stack: Stack
let codes: Record<string, number | null> | undefined
const stop = async () => (codes ??= await stack.stop())

beforeAll(async () => {
  stack = await startStack(readModel(), {
    names: NAMES.filter((name) => hasNginx() || name !== 'gateway'),
    given: {
      ...SECRET,
      MONGODB_URI,
      KAFKA_BROKERS: brokers.join(','),
      OIDC_ISSUER: (await trustedIssuer()).url,
      OIDC_URL: '',
    },
    database: `test_compose_${process.pid}`,
  })
})
afterAll(async () => {
  if (stack) await stop()
  await log.close()
})

const title = () => `Compose ${crypto.randomUUID()}`

test('a command goes through publish, the source, persist and query, each a process of its own', async () => {
  const wanted = title()
  const answer = await send(`${stack.origin('publish')}/api/tutorials`, { title: wanted }, { prefer: 'wait=15' })
  expect(answer.status).toBe(201)
  const one = await fetch(stack.origin('query') + answer.headers.get('location'))
  expect(await one.json()).toMatchObject({ title: wanted })
})

test.skipIf(!hasNginx())('one origin has reads and writes, and a receipt of publish is known to query', async () => {
  const site = stack.origin('gateway')
  const wanted = title()
  const { receipt } = (await (await send(`${site}/api/tutorials`, { title: wanted })).json()) as { receipt: string }
  await eventually(async () => expect(await (await fetch(site + receipt)).json()).toMatchObject({ status: 'applied' }))
})

test('a sum over gRPC counts, and its requestId is the same over REST', async () => {
  const requestId = crypto.randomUUID()
  const sum = { firstNumber: 20, secondNumber: 22, requestId }
  for (const name of hasNginx() ? ['publish-grpc', 'gateway'] : ['publish-grpc']) {
    const client = grpcClient(stack.grpc(name), SUMS, 'SumService')
    expect((await client.call('AddNumbers', sum, { prefer: 'wait=15' })).message).toEqual({ result: 42 })
    client.close()
  }
  expect((await send(`${stack.origin('publish')}/api/sums`, sum, { prefer: 'wait=15' })).status).toBe(200)
  const sums = await history(stack.origin('query'))
  expect(sums.filter((sum) => sum.requestId === requestId)).toHaveLength(1)
})

test('the ports of the previous system: publish accepts a bare title, query returns all tutorials', async () => {
  const wanted = title()
  const headers = { 'content-type': 'text/plain' }
  expect((await send(`${stack.origin('publish')}/api/publish`, wanted, headers)).status).toBe(200)
  await eventually(async () => {
    const all = (await (await fetch(`${stack.origin('query')}/api/test`)).json()) as { title: string }[]
    expect(all.filter((item) => item.title === wanted)).toHaveLength(1)
  })
})

test('a command that persist refuses is a letter with a copy on the error topic, which returns from there only once', async () => {
  const id = `compose-${crypto.randomUUID()}`
  const attributes = { ce_specversion: '1.0', ce_id: id, ce_source: '/test', ce_type: 'nobody.knows' }
  const headers = { 'content-type': 'application/json', ...attributes }
  await log.append('tutorials-topic', { key: id, value: '{}', headers })
  await eventually(async () => expect(await copiesOf(id)).toEqual(['422']), { every: 500, within: 20_000 })
  const path = `${stack.origin('query')}/api/letters?limit=1000`
  const { items } = (await (await fetch(path, { headers: await authorized('administrator') })).json()) as {
    items: { event: { id: string }; verdict: string }[]
  }
  expect(items.filter(({ event }) => event.id === id)).toMatchObject([{ verdict: 'refused' }])
  await eventually(async () => expect(await lagOf(deadLetters.name)).toBe(0), { every: 500, within: 20_000 })
  expect(await copiesOf(id)).toEqual(['422'])
})

/** As the source's metrics tell it. */
async function lagOf(topic: string): Promise<number> {
  const metrics = await (await fetch(`${stack.origin('source')}/metrics`)).text()
  const lags = [...metrics.matchAll(/^millrace_lag\{topic="([^"]+)",partition="\d+"\} (\d+)$/gm)]
  expect(lags.map(([, name]) => name)).toContain(topic)
  return lags.reduce((sum, [, name, lag]) => sum + (name === topic ? Number(lag) : 0), 0)
}

async function copiesOf(id: string): Promise<(string | undefined)[]> {
  const copies: (string | undefined)[] = []
  for await (const { headers } of log.scan(deadLetters.name)) {
    const named = Object.fromEntries(headers.map(([name, value]) => [name, value.toString()]))
    if (named.ce_id === id) copies.push(named.ce_knativeerrorcode)
  }
  return copies
}

test('the source serves its health and its lag', async () => {
  expect((await fetch(`${stack.origin('source')}/health/deep`)).status).toBe(200)
  await eventually(async () => expect(await lagOf('tutorials-topic')).toBe(0), { every: 500, within: 20_000 })
})

test('at SIGTERM each process drains and ends by itself', async () => {
  const started = Date.now()
  const names = Object.keys(await stop())
  expect(codes).toEqual(Object.fromEntries(names.map((name) => [name, 0])))
  expect(Date.now() - started).toBeLessThan(30_000)
})
