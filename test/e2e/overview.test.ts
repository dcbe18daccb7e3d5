import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { discard, eventually, type Mill, send, startMill } from '../mill.ts'

let mill: Mill
beforeAll(async () => {
  mill = await startMill({ pair: inject('pair') })
}, 60_000)
afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

test('one answer has the total and the latest titles, behind two own writes', async () => {
  const title = `Overview ${crypto.randomUUID()}`
  const commands = await Promise.all([
    send(`${mill.publish}/api/sums`, { firstNumber: 20, secondNumber: 22 }),
    send(`${mill.publish}/api/tutorials`, { title }),
  ])
  const own = commands.map(({ headers }) => `after=${headers.get('location')}`).join('&')
  const answer = await eventually(
    async () => {
      const found = await fetch(`${mill.query}/api/overview?${own}`)
      expect(found.status).toBe(200)
      return found
    },
    { within: 30_000 },
  )
  const { parts } = (await answer.json()) as { parts: { sums: number; tutorials: { items: { title: string }[] } } }
  expect(parts.sums).toBeGreaterThanOrEqual(42)
  expect(parts.tutorials.items.map(({ title }) => title)).toContain(title)
  const etag = answer.headers.get('etag') ?? ''
  expect((await fetch(`${mill.query}/api/overview`, { headers: { 'if-none-match': etag } })).status).toBe(304)
})
