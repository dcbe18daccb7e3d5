import { afterEach, expect, test } from 'vitest'
import { stored } from '../load.ts'
import { discard, eventually, type Mill, send, startMill } from '../mill.ts'

let mill: Mill

afterEach(async () => {
  await mill.kill()
  discard(mill)
})

const memory = async () => {
  const metrics = await (await fetch(`${mill.query}/metrics`)).text()
  return Number(/^process_resident_memory_bytes (\d+)/m.exec(metrics)?.[1]) / 1e6
}

test('overload is 503 with Retry-After, memory stays flat, and every acknowledged command is stored', async () => {
  mill = await startMill({ pair: 'embedded', env: { MAX_IN_FLIGHT: '10' } })
  const acknowledged: string[] = []
  let refused = 0
  const wave = async (size: number) => {
    const titles = Array.from({ length: size }, () => `${crypto.randomUUID()} ${'x'.repeat(5000)}`)
    await Promise.all(
      titles.map(async (title) => {
        const answer = await send(`${mill.publish}/api/tutorials`, { title })
        await answer.arrayBuffer()
        if (answer.status === 202) return acknowledged.push(title)
        expect(answer.status).toBe(503)
        expect(answer.headers.get('retry-after')).toBe('1')
        refused++
      }),
    )
  }
  for (let warmUp = 0; warmUp < 5; warmUp++) await wave(200)
  const before = await memory()
  for (let count = 0; count < 20; count++) await wave(200)
  expect(refused).toBeGreaterThan(100)
  expect(acknowledged.length).toBeGreaterThan(100)
  expect((await memory()) - before).toBeLessThan(100)
  await eventually(
    async () => {
      const counts = await stored(mill)
      expect(acknowledged.filter((title) => counts.get(title) !== 1)).toEqual([])
    },
    { within: 30_000, every: 200 },
  )
})
