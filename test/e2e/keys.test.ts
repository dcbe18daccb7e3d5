import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { authorized } from '../auth/tokens.ts'
import { discard, eventually, expectProblem, type Mill, send, startMill } from '../mill.ts'

/** The number of pairs, high enough to show a race without faults: once 8 of 3,000 ended in the wrong order. */
const MANY = 3000
const FEW = 300
/** The number of concurrent pairs. */
const CLIENTS = 32

describe.each(inject('servings'))('on the %s', (serving) => {
  let mill: Mill
  beforeAll(async () => {
    mill = await startMill({ pair: inject('pair'), serving })
  }, 60_000)
  afterAll(async () => {
    await mill?.stop()
    if (mill) discard(mill)
  })

  const write = (title: string, headers: Record<string, string>) =>
    send(`${mill.publish}/api/tutorials`, { title }, headers)

  async function outcome(receipt: string): Promise<string> {
    const { status } = (await (await fetch(mill.query + receipt)).json()) as { status: string }
    if (status === 'pending') throw new Error(`${receipt} is pending`)
    return status
  }

  test.each([
    ['with a token', serving === 'host' && inject('pair') === 'embedded' ? MANY : FEW],
    ['without a token', FEW],
  ])(
    'given commands %s, each followed by another one under its key (%i pairs), then every first one is applied',
    async (who, pairs) => {
      const caller = who === 'with a token' ? await authorized('member') : {}
      const firsts: string[] = []
      const seconds: { status: number; receipt?: string }[] = []
      let left = pairs
      async function client() {
        while (left-- > 0) {
          const headers = { ...caller, 'idempotency-key': crypto.randomUUID() }
          const first = await write('first', headers)
          expect(first.status).toBe(202)
          firsts.push(((await first.json()) as { receipt: string }).receipt)
          const second = await write('second', headers)
          seconds.push({ ...((await second.json()) as object), status: second.status })
        }
      }
      await Promise.all(Array.from({ length: CLIENTS }, client))
      const outcomes: string[] = []
      for (const receipt of firsts) outcomes.push(await eventually(() => outcome(receipt), { within: 60_000 }))
      expect(outcomes.filter((status) => status !== 'applied')).toEqual([])
      expect(seconds.filter(({ status }) => status !== 409)).toEqual([])
    },
  )

  test('the 409 names the command that has the key', async () => {
    const headers = { ...(await authorized('member')), 'idempotency-key': crypto.randomUUID() }
    const { id, receipt } = (await (await write('first', headers)).json()) as { id: string; receipt: string }
    expect(await expectProblem(await write('second', headers), 409)).toMatchObject({
      reusedKey: true,
      first: { id, receipt },
    })
  })

  test('a sum with the key of another sum is refused', async () => {
    const requestId = crypto.randomUUID()
    const add = (secondNumber: number, headers = {}) =>
      send(`${mill.publish}/api/sums`, { requestId, firstNumber: 1, secondNumber }, headers)
    for (const caller of [{}, await authorized('member')]) {
      expect((await add(1, caller)).status).toBe(200)
      await expectProblem(await add(2, caller), 409)
    }
  })

  test('anonymous callers at different addresses do not share keys', async () => {
    const requestId = crypto.randomUUID()
    const add = (secondNumber: number, from: string) =>
      send(
        `${mill.publish}/api/sums`,
        { requestId, firstNumber: 1, secondNumber },
        { prefer: 'wait=15', 'x-forwarded-for': from },
      )
    for (const [at, from] of ['192.0.2.1', '192.0.2.2'].entries()) {
      const answer = await add(at, from)
      expect([answer.status, answer.headers.get('preference-applied')]).toEqual([200, 'wait'])
    }
    await expectProblem(await add(2, '192.0.2.1'), 409)
  })
})
