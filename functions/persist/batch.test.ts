import { expect, test } from 'vitest'
import { batcher, Full } from './batch.ts'

const bounds = { maxItems: 10, maxBytes: 1000, maxWaiting: 100 }
const doubled = (items: number[]) => new Map(items.map((item) => [item, item * 2]))

/** A run that waits until it is let go. */
function gated() {
  const batches: number[][] = []
  const gates: (() => void)[] = []
  return {
    batches,
    open: () => gates.shift()?.(),
    run: async (items: number[]) => {
      batches.push(items)
      await new Promise<void>((resolve) => gates.push(resolve))
      return doubled(items)
    },
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('given nothing else, a batch is one item; given a batch under way, what arrives makes up the next one', async () => {
  const { batches, open, run } = gated()
  const batch = batcher(bounds, run)
  const first = batch.add(1, 1)
  await turn()
  const others = [2, 3, 4].map((item) => batch.add(item, 1))
  await turn()
  expect(batches).toEqual([[1]])
  open()
  expect(await first).toBe(2)
  await turn()
  expect(batches).toEqual([[1], [2, 3, 4]])
  open()
  expect(await Promise.all(others)).toEqual([4, 6, 8])
})

test('a batch is bounded in items and in bytes, and an item beyond the bytes goes alone', async () => {
  const batches: number[][] = []
  const batch = batcher({ ...bounds, maxItems: 3 }, async (items: number[]) => {
    batches.push(items)
    return doubled(items)
  })
  await Promise.all([1, 2, 3, 4].map((item) => batch.add(item, 1)))
  await Promise.all([5, 6, 7].map((item) => batch.add(item, item === 5 ? 5000 : 600)))
  expect(batches).toEqual([[1, 2, 3], [4], [5], [6], [7]])
})

test('beyond what may wait, an item is refused at once and the others are not harmed', async () => {
  const { open, run } = gated()
  const batch = batcher({ ...bounds, maxWaiting: 2 }, run)
  const one = batch.add(1, 1)
  await turn()
  const two = batch.add(2, 1)
  await expect(batch.add(3, 1)).rejects.toBeInstanceOf(Full)
  open()
  await one
  await turn()
  open()
  expect(await two).toBe(4)
})

test('a run that throws rejects its own items and the next batch goes on; idle waits for all of it', async () => {
  let broken = true
  const batch = batcher(bounds, async (items: number[]) => {
    if (broken) throw new Error('broken')
    return doubled(items)
  })
  await expect(batch.add(1, 1)).rejects.toThrow('broken')
  broken = false
  const two = batch.add(2, 1)
  await batch.idle()
  expect(await two).toBe(4)
})
