import { expect, test } from 'vitest'
import { type Address, addresses } from '#core/receipts.ts'
import type { Waiting } from '#core/waiting.ts'
import type { OneQuery } from '#domains/query.ts'
import { asking, notes, put } from '#test/reading.ts'

const one: OneQuery = { answers: 'one', path: '/notes/{id}', from: 'notes', shape: ({ _id }) => ({ id: _id }) }

const signed = addresses('a secret of this test')
const receiptOf = (id: string) => signed.sign({ domain: 'reading', id, hash: 'h', time: Date.now() })
const waiting = {
  wait: async ({ id }: Address) => ({ status: id === 'late' ? 'pending' : 'applied' }),
} as unknown as Waiting

test.each([
  [['done'], 200],
  [['done', 'done too'], 200],
  [['late'], 503],
  [['done', 'late'], 503],
  [['late', 'done'], 503],
])('a read with ?after=%o answers %i', async (ids, status) => {
  await put(notes, [{ _id: 'a' }])
  const { respond } = asking([one], { waiting, addresses: signed })
  const behind = ids.map((id) => `after=${encodeURIComponent(receiptOf(id))}`).join('&')
  const answered = respond(`/notes/a?${behind}`).catch((problem) => problem)
  expect((await answered).status).toBe(status)
})
