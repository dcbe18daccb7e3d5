import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { grpcClient, SUMS } from '../grpc.ts'
import { discard, type Mill, send, startMill } from '../mill.ts'
import { authorized } from './tokens.ts'

/** A mill whose anonymous callers have no scope. */
let mill: Mill
beforeAll(async () => {
  mill = await startMill({ pair: inject('pair'), env: { ANONYMOUS_SCOPES: 'none' } })
}, 60_000)
afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

test('a route that a setting opens elsewhere needs a token', async () => {
  for (const path of ['/api/tutorials', '/api/test', '/api/final', '/api/final/history']) {
    expect((await fetch(mill.query + path)).status).toBe(401)
    expect((await fetch(mill.query + path, { headers: await authorized('member') })).status).toBe(200)
  }
  expect((await send(`${mill.publish}/api/tutorials`, { title: 'It turns' })).status).toBe(401)
  const { parts, missing } = (await (await fetch(`${mill.query}/api/overview`)).json()) as { [name: string]: object }
  expect([parts, Object.keys(missing ?? {}).length > 0]).toEqual([{}, true])
})

test('gRPC takes the token as metadata', async () => {
  const client = grpcClient(mill.grpc, SUMS, 'SumService')
  const sum = { firstNumber: 20, secondNumber: 22 }
  expect((await client.call('AddNumbers', sum)).error?.code).toBe(status.UNAUTHENTICATED)
  expect((await client.call('AddNumbers', sum, { authorization: 'Bearer x' })).error?.code).toBe(status.UNAUTHENTICATED)
  expect((await client.call('AddNumbers', sum, await authorized('nobody'))).error?.code).toBe(status.PERMISSION_DENIED)
  expect((await client.call('AddNumbers', sum, await authorized('member'))).message).toEqual({ result: 42 })
  client.close()
})
