import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createClient } from '#client/client.ts'
import type sums from '#domains/sums/domain.ts'
import { conforming } from '../conforming.ts'
import { discard, expectProblem, type Mill, send, startMill } from '../mill.ts'

describe.each(inject('servings'))('on the %s', (serving) => {
  let mill: Mill
  let checked: typeof fetch
  beforeAll(async () => {
    mill = await startMill({ pair: inject('pair'), serving })
    checked = await conforming(mill.query)
  }, 60_000)
  afterAll(async () => {
    await mill?.stop()
    if (mill) discard(mill)
  })

  /** A client that checks every response against the site's API description. */
  const connect = () => createClient<{ sums: typeof sums }>({ url: mill, fetch: checked })
  const add = (firstNumber: number, secondNumber: number, more = {}, headers = {}) =>
    send(`${mill.publish}/api/sums`, { firstNumber, secondNumber, ...more }, headers)

  async function history(client = connect()) {
    const all = []
    for await (const sum of client.sums.history.each({ limit: 50 })) all.push(sum)
    return all
  }

  test('a sum is answered at once, added to the total, and listed in the history', async () => {
    const client = connect()
    const requestId = crypto.randomUUID()
    const { result } = await client.sums.add({ requestId, firstNumber: 2_000_000_000, secondNumber: -5 }, { wait: 0 })
    expect(result).toBe(1_999_999_995)
    const total = await client.sums.total()
    const sums = await history(client)
    expect(sums.find((sum) => sum.requestId === requestId)).toMatchObject({ result })
    expect(total).toBe(sums.reduce((sum, { result }) => sum + BigInt(result), 0n))
  })

  test('old clients receive a bare result and a bare total', async () => {
    const answer = await add(20, 22, {}, { prefer: 'wait=15' })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('{"result":42}')
    expect(await (await fetch(`${mill.query}/api/final`)).text()).toMatch(/^-?\d+$/)
  })

  test('the same requestId counts once on every route, and another sum with it changes nothing', async () => {
    const client = connect()
    const requestId = crypto.randomUUID()
    const same = { requestId, firstNumber: 20, secondNumber: 22 }
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.sums.add(same)))
    for (const answer of answers) expect(answer).toEqual({ result: 42 })
    await expectProblem(await add(1, 1, { requestId }, { prefer: 'wait=15' }), 409)
    expect((await history(client)).filter((sum) => sum.requestId === requestId)).toHaveLength(1)
  })

  test('the whole history is available as NDJSON', async () => {
    const client = connect()
    await client.sums.add({ firstNumber: 7, secondNumber: 8 })
    const answer = await fetch(`${mill.query}/api/final/history?limit=1`, {
      headers: { accept: 'application/x-ndjson' },
    })
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
    const lines = (await answer.text()).trimEnd().split('\n')
    const sums = []
    for await (const sum of client.sums.history.lines({ limit: 1 })) sums.push(sum)
    expect(sums.map(({ result }) => result)).toContain(15)
    expect(sums).toEqual(await history(client))
    expect(lines).toHaveLength(sums.length)
  })

  test('a sum that does not fit into 32 bits is refused, as is a value that is no number', async () => {
    await expectProblem(await add(2 ** 31 - 1, 1), 422)
    await expectProblem(await add(2 ** 31, -1), 422)
    await expectProblem(await add(1.5, 1), 422)
  })

  test('an If-Match with an old version of the stream is a failed precondition', async () => {
    const wait = { prefer: 'wait=15' }
    await expectProblem(await add(1, 1, {}, { ...wait, 'if-match': '"7"' }), 412)
    expect((await add(1, 1, {}, { ...wait, 'if-match': '"0"' })).status).toBe(200)
    await expectProblem(await add(1, 1, {}, { 'if-match': 'seven' }), 400)
  })
})
