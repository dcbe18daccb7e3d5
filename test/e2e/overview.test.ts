import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { discard, type Mill, send, startMill } from '../mill.ts'

let mill: Mill
beforeAll(async () => {
  mill = await startMill({ pair: inject('pair') })
}, 60_000)
afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

test('one answer has the total and the latest titles', async () => {
  const sum = await send(`${mill.publish}/api/sums`, { firstNumber: 20, secondNumber: 22 }, { prefer: 'wait=15' })
  const title = `Overview ${crypto.randomUUID()}`
  const tutorial = await send(`${mill.publish}/api/tutorials`, { title }, { prefer: 'wait=15' })
  expect([sum.ok, tutorial.ok]).toEqual([true, true])
  const answer = await fetch(`${mill.query}/api/overview`)
  expect(answer.status).toBe(200)
  const { parts } = (await answer.json()) as { parts: { sums: number; tutorials: { items: { title: string }[] } } }
  expect(parts.sums).toBeGreaterThanOrEqual(42)
  expect(parts.tutorials.items[0]).toMatchObject({ title })
  const etag = answer.headers.get('etag') ?? ''
  expect((await fetch(`${mill.query}/api/overview`, { headers: { 'if-none-match': etag } })).status).toBe(304)
})
