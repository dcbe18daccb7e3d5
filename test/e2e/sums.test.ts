import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { discard, eventually, expectProblem, type Mill, send, startMill } from '../mill.ts'

type Sum = { requestId: string; result: number }

describe.each(inject('servings'))('on the %s', (serving) => {
  let mill: Mill
  beforeAll(async () => {
    mill = await startMill({ pair: inject('pair'), serving })
  }, 60_000)
  afterAll(async () => {
    await mill?.stop()
    if (mill) discard(mill)
  })

  const add = (firstNumber: number, secondNumber: number, more = {}, headers = {}) =>
    send(`${mill.publish}/api/sums`, { firstNumber, secondNumber, ...more }, headers)
  const applied = async (answer: globalThis.Response) => {
    const receipt = answer.headers.get('location')
    await eventually(
      async () => expect(await (await fetch(mill.query + receipt)).json()).toMatchObject({ status: 'applied' }),
      { within: 30_000 },
    )
    return receipt
  }

  async function history(): Promise<Sum[]> {
    const all: Sum[] = []
    for (let cursor = ''; ; ) {
      const page = (await (await fetch(`${mill.query}/api/final/history?limit=50${cursor}`)).json()) as {
        items: Sum[]
        next: string | null
      }
      all.push(...page.items)
      if (page.next === null) return all
      cursor = `&cursor=${page.next}`
    }
  }

  test('a sum is answered at once, counted into the total, and stands in the history', async () => {
    const answer = await add(2_000_000_000, -5, { requestId: crypto.randomUUID() })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ result: 1_999_999_995 })
    const receipt = await applied(answer)
    await eventually(async () => {
      const total = await (await fetch(`${mill.query}/api/final?after=${receipt}`)).text()
      expect(total).toMatch(/^-?\d+$/)
      const sums = await history()
      expect(sums.some(({ result }) => result === 1_999_999_995)).toBe(true)
      expect(BigInt(total)).toBe(sums.reduce((sum, { result }) => sum + BigInt(result), 0n))
    })
  })

  test('the same requestId counts once, whichever way it comes; another sum under it changes nothing', async () => {
    const requestId = crypto.randomUUID()
    const answers = await Promise.all(Array.from({ length: 10 }, () => add(20, 22, { requestId })))
    for (const answer of answers) expect(await answer.json()).toEqual({ result: 42 })
    await applied(answers[0] as globalThis.Response)
    await expectProblem(await add(1, 1, { requestId }, { prefer: 'wait=15' }), 409)
    expect((await history()).filter((sum) => sum.requestId === requestId)).toHaveLength(1)
  })

  test('the whole history comes as lines', async () => {
    const receipt = await applied(await add(7, 8))
    const headers = { accept: 'application/x-ndjson' }
    const answer = await fetch(`${mill.query}/api/final/history?after=${receipt}&limit=1`, { headers })
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
    const sums = (await answer.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Sum)
    expect(sums.map(({ result }) => result)).toContain(15)
    expect(sums.length).toBeGreaterThanOrEqual((await history()).length)
  })

  test('a sum that does not fit into 32 bits is refused, and so is what is no number', async () => {
    await expectProblem(await add(2 ** 31 - 1, 1), 422)
    await expectProblem(await add(2 ** 31, -1), 422)
    await expectProblem(await add(1.5, 1), 422)
  })

  test('If-Match takes the version of the stream: one that is not there any more is a failed precondition', async () => {
    const wait = { prefer: 'wait=15' }
    await expectProblem(await add(1, 1, {}, { ...wait, 'if-match': '"7"' }), 412)
    expect((await add(1, 1, {}, { ...wait, 'if-match': '"0"' })).status).toBe(200)
    await expectProblem(await add(1, 1, {}, { 'if-match': 'seven' }), 400)
  })
})
