import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Client, grpcClient, HEALTH, history, ORIGINAL, reflection, SUMS, type Sum } from '../grpc.ts'
import { discard, eventually, type Mill, send, startMill } from '../mill.ts'

/** The bare framework serves HTTP only. */
const servings = inject('servings').filter((serving) => serving !== 'framework')

describe.each(servings)('on the %s', (serving) => {
  let mill: Mill
  let client: Client
  beforeAll(async () => {
    mill = await startMill({ pair: inject('pair'), serving })
    client = grpcClient(mill.grpc, SUMS, 'SumService')
  }, 60_000)
  afterAll(async () => {
    client?.close()
    await mill?.stop()
    if (mill) discard(mill)
  })

  const add = (firstNumber: number, secondNumber: number, more = {}, metadata = {}, options = {}) =>
    client.call<{ result: number }>('AddNumbers', { firstNumber, secondNumber, ...more }, metadata, options)
  /** Expects that this many of the sums count, and that the total is the sum of the history. */
  async function expectCounted(wanted: Partial<Sum>, times: number): Promise<void> {
    const names = Object.keys(wanted) as (keyof Sum)[]
    await eventually(
      async () => {
        const sums = await history(mill.query)
        expect(sums.filter((sum) => names.every((name) => sum[name] === wanted[name]))).toHaveLength(times)
        const total = BigInt(await (await fetch(`${mill.query}/api/final`)).text())
        expect(total).toBe(sums.reduce((sum, { result }) => sum + BigInt(result), 0n))
      },
      { within: 30_000 },
    )
  }
  /** A number that no other test uses. */
  const number = () => Math.floor(Math.random() * 2 ** 30)

  test('a sum is answered at once and added to the total', async () => {
    const firstNumber = number()
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const { message, trailers } = await add(firstNumber, -5, {}, { traceparent })
    expect(message).toEqual({ result: firstNumber - 5 })
    expect(trailers.traceparent).toBe(traceparent)
    await expectCounted({ firstNumber, secondNumber: -5, result: firstNumber - 5 }, 1)
  })

  test('the same requestId counts once over gRPC and REST, sequentially and concurrently', async () => {
    const requestId = crypto.randomUUID()
    const rest = () => send(`${mill.publish}/api/sums`, { requestId, firstNumber: 20, secondNumber: 22 })
    const all = await Promise.all([...Array.from({ length: 10 }, () => add(20, 22, { requestId })), rest(), rest()])
    for (const answer of all) {
      expect(answer instanceof Response ? await answer.json() : answer.message).toEqual({ result: 42 })
    }
    expect((await add(20, 22, { requestId }, { prefer: 'wait=15' })).message).toEqual({ result: 42 })
    await expectCounted({ requestId }, 1)
  })

  test('the key may be metadata, and another sum with it is refused at once', async () => {
    const key = { 'idempotency-key': crypto.randomUUID() }
    const firstNumber = number()
    for (let n = 0; n < 2; n++) await add(firstNumber, 2, {}, { ...key, prefer: 'wait=15' })
    for (const prefer of [{}, { prefer: 'wait=15' }]) {
      const { error } = await add(firstNumber, 3, {}, { ...key, ...prefer })
      expect(error?.code).toBe(status.ALREADY_EXISTS)
    }
    const requestId = crypto.randomUUID()
    await add(firstNumber, 2, { requestId })
    expect((await add(firstNumber, 3, { requestId })).error?.code).toBe(status.ALREADY_EXISTS)
    await expectCounted({ firstNumber, secondNumber: 2 }, 2)
    await expectCounted({ firstNumber }, 2)
  })

  test('a client generated from the original .proto works unchanged', async () => {
    const original = grpcClient(mill.grpc, ORIGINAL, 'SumService')
    const firstNumber = number()
    for (let n = 0; n < 2; n++) {
      const { message } = await original.call('AddNumbers', { firstNumber, secondNumber: 4 })
      expect(message).toEqual({ result: firstNumber + 4 })
    }
    original.close()
    await expectCounted({ firstNumber, secondNumber: 4 }, 2)
  })

  test('a sum that does not fit into 32 bits is OUT_OF_RANGE, and the largest that fits succeeds', async () => {
    expect((await add(2 ** 31 - 1, 1)).error).toMatchObject({
      code: status.OUT_OF_RANGE,
      details: 'the sum does not fit into 32 bits',
    })
    expect((await add(-(2 ** 31), -1)).error?.code).toBe(status.OUT_OF_RANGE)
    expect((await add(2 ** 31 - 1, 0)).message).toEqual({ result: 2 ** 31 - 1 })
  })

  test('a message that fails the schema is INVALID_ARGUMENT, with the field and the trace', async () => {
    const { error, trailers } = await add(1, 2, { requestId: 'x'.repeat(256) })
    expect(error?.code).toBe(status.INVALID_ARGUMENT)
    expect(error?.details).toContain('requestId: ')
    expect(trailers.traceparent).toMatch(/^00-[0-9a-f]{32}-/)
    const { error: wrongKey } = await add(1, 2, {}, { 'idempotency-key': 'x'.repeat(256) })
    expect(wrongKey?.code).toBe(status.INVALID_ARGUMENT)
  })

  test('a message that is too large is RESOURCE_EXHAUSTED', async () => {
    const { error } = await add(1, 2, { requestId: 'x'.repeat(256 * 1024) })
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED)
  })

  test('a passed deadline is DEADLINE_EXCEEDED, and the next call succeeds', async () => {
    const { error } = await add(1, 2, {}, {}, { deadline: Date.now() - 1 })
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED)
    expect((await add(1, 2)).message).toEqual({ result: 3 })
  })

  test('the health service reports the server and each service as serving', async () => {
    const health = grpcClient(mill.grpc, HEALTH, 'grpc.health.v1.Health')
    for (const service of ['', 'SumService']) {
      expect((await health.call('Check', { service })).message).toEqual({ status: 'SERVING' })
    }
    expect((await health.call('Check', { service: 'Nobody' })).error?.code).toBe(status.NOT_FOUND)
    health.close()
  })

  test.each(['v1', 'v1alpha'] as const)(
    'reflection %s lists the services and describes their methods',
    async (version) => {
      const client = grpcClient(mill.grpc, reflection(version), `grpc.reflection.${version}.ServerReflection`)
      const ask = (question: object) => client.open('ServerReflectionInfo', question).next()
      const { list_services_response: list } = (await ask({ list_services: '' })) as Reflected
      expect(list.service).toEqual([{ name: 'SumService' }])
      for (const file_containing_symbol of ['SumService', 'SumService.AddNumbers', 'AddRequest']) {
        const { file_descriptor_response: file } = (await ask({ file_containing_symbol })) as Reflected
        expect(String(file.file_descriptor_proto[0])).toContain('requestId')
      }
      client.close()
    },
  )

  test('the metrics count calls by method and code', async () => {
    const metrics = await (await fetch(`${mill.grpcMetrics}/metrics`)).text()
    for (const code of ['OK', 'OUT_OF_RANGE', 'INVALID_ARGUMENT', 'RESOURCE_EXHAUSTED']) {
      const labels = `function="publish",method="gRPC",route="/SumService/AddNumbers",status="${code}"`
      expect(metrics).toContain(`millrace_request_duration_seconds_count{${labels}}`)
    }
    expect(Number(/^millrace_repeats_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0)
  })
})

interface Reflected {
  list_services_response: { service: { name: string }[] }
  file_descriptor_response: { file_descriptor_proto: Buffer[] }
}
