import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { authorized } from '../auth/tokens.ts'
import { discard, eventually, type Mill, send, startMill } from '../mill.ts'

let mill: Mill
beforeAll(async () => {
  mill = await startMill({ pair: inject('pair') })
}, 60_000)
afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

test("the overview has the total and the latest titles, after the caller's own writes", async () => {
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

test('only readers of an organisation see its log counts in the overview', async () => {
  const event = { organizationId: 'acme', level: 'warn', message: 'Overview', service: 'till' }
  const written = await send(`${mill.publish}/api/logs`, event, await authorized('writer'))
  expect(written.status).toBe(202)
  const overview = async (headers: Record<string, string>) => {
    const found = await fetch(`${mill.query}/api/overview?after=${written.headers.get('location')}`, { headers })
    expect(found.status).toBe(200)
    return (await found.json()) as { parts: { logs?: { items: unknown[] } }; missing: { part: string }[] }
  }
  const { parts } = await eventually(async () => overview(await authorized('reader')), { within: 30_000 })
  expect(parts.logs?.items).toContainEqual({ period: expect.any(String), level: 'warn', count: expect.any(Number) })
  expect((await overview(await authorized('stranger'))).parts.logs?.items).toEqual([])
  expect((await overview({})).missing).toMatchObject([{ part: 'logs' }])
})
