import { expect, test } from 'vitest'
import sums from '#domains/sums/domain.ts'
import domain from '#domains/tutorials/domain.ts'
import { manualClock } from '#test/clock.ts'
import { letters, receipts } from './collections.ts'
import { rejectionId } from './ledger.ts'
import type { Receipt } from './receipts.ts'
import type { Store } from './store.ts'
import { Unavailable } from './unavailable.ts'
import { waiting } from './waiting.ts'

const address = (id: string) => ({ domain: domain.name, id, hash: 'hash', time: 0 })

/** A store with the documents of the test, which records the collection of each id that is looked up. */
function begin() {
  const clock = manualClock()
  const there = new Map<string, Map<string, Record<string, string>>>()
  const asked: string[] = []
  let isAway = false
  let isHanging = false
  const get: Store['get'] = async (collection, ids) => {
    if (isHanging) await clock.sleep(10_000)
    if (isAway) throw new Unavailable('store', 'away')
    asked.push(...ids.map(() => collection.name))
    const found = there.get(collection.name) ?? new Map()
    return new Map(ids.flatMap((id) => (found.has(id) ? [[id, { _id: id, ...found.get(id) }]] : [])))
  }
  const put = (collection: string, id: string, fields: Record<string, string>) =>
    there.set(collection, (there.get(collection) ?? new Map()).set(id, fields))
  const { wait } = waiting({ get } as Store, [domain], clock)
  return {
    clock,
    asked,
    applied: (id: string) => put(domain.documents.collection.name, id, { _hash: 'hash' }),
    put,
    away: () => (isAway = true),
    hang: () => (isHanging = true),
    start(id: string, ms: number, signal?: AbortSignal) {
      const began = clock.now()
      const state: { receipt?: Receipt; after?: number; error?: unknown } = {}
      wait(address(id), ms, signal).then(
        (receipt) => Object.assign(state, { receipt, after: clock.now() - began }),
        (error) => Object.assign(state, { error }),
      )
      return state
    },
  }
}

test('an applied command is known soon after', async () => {
  const { clock, applied, start } = begin()
  const one = start('one', 5000)
  await clock.advance(30)
  expect(one.receipt).toBeUndefined()
  applied('one')
  await clock.advance(30)
  expect(one.receipt).toEqual({ status: 'applied' })
})

test('a refused command is known within a quarter of a second', async () => {
  const { clock, put, start } = begin()
  const [rejected, parked] = [start('rejected', 5000), start('parked', 5000)]
  await clock.advance(200)
  put(receipts.name, rejectionId('rejected', 'hash'), { status: 'rejected', reason: 'because' })
  put(letters.name, 'parked', { hash: 'hash', error: 'a bug' })
  await clock.advance(250)
  expect(rejected.receipt).toEqual({ status: 'rejected', reason: 'because' })
  expect(parked.receipt).toEqual({
    status: 'parked',
    reason: expect.stringMatching(/^A bug of the site .* kept as letter parked\. /),
  })
})

test('a wait of 0 ms gives the outcome as it is now, refused or not', async () => {
  const { clock, put, start } = begin()
  put(letters.name, 'parked', { hash: 'hash', error: 'a bug' })
  const [pending, parked] = [start('pending', 0), start('parked', 0)]
  await clock.advance(10)
  expect(pending.receipt).toEqual({ status: 'pending' })
  expect(parked.receipt).toEqual({
    status: 'parked',
    reason: expect.stringMatching(/^A bug of the site .* kept as letter parked\. /),
  })
})

test('a wait ends on time, and when the client disconnects', async () => {
  const { clock, start } = begin()
  const gone = new AbortController()
  const [late, left] = [start('late', 1000), start('left', 5000, gone.signal)]
  await clock.advance(500)
  gone.abort()
  await clock.advance(20)
  expect(left.receipt).toEqual({ status: 'pending' })
  await clock.advance(500)
  expect(late).toMatchObject({ receipt: { status: 'pending' } })
  expect(late.after).toBeLessThan(1020)
})

test('a thousand commands that take a second are looked up a few times each, not at each read', async () => {
  const { clock, applied, asked, start } = begin()
  const states = Array.from({ length: 1000 }, (_, index) => start(`slow-${index}`, 5000))
  await clock.advance(1000)
  for (let index = 0; index < 1000; index++) applied(`slow-${index}`)
  await clock.advance(300)
  expect(states.every(({ receipt }) => receipt?.status === 'applied')).toBe(true)
  expect(asked.filter((name) => name === domain.documents.collection.name).length).toBeLessThan(30_000)
})

test('an outage rejects all waits', async () => {
  const { clock, away, start } = begin()
  const one = start('one', 5000)
  await clock.advance(20)
  away()
  await clock.advance(20)
  expect(one.error).toBeInstanceOf(Unavailable)
})

test('given a store that hangs, then a wait is little longer than asked for', async () => {
  const { clock, applied, hang, start } = begin()
  const before = start('before', 1000)
  await clock.advance(100)
  hang()
  const after = start('after', 500)
  await clock.advance(1500)
  expect([before.receipt, after.receipt]).toEqual([{ status: 'pending' }, { status: 'pending' }])
  expect(before.after).toBeLessThanOrEqual(1400)
  applied('next')
  const next = start('next', 20_000)
  await clock.advance(21_000)
  expect(next.receipt).toEqual({ status: 'applied' })
})

test('given steady waits in one domain, then refusals in another are known as soon', async () => {
  const clock = manualClock()
  const rejection = { _id: 'r.hash', status: 'rejected', reason: 'no' }
  const get: Store['get'] = async (collection, ids) =>
    new Map(collection.name === receipts.name && ids.includes('r.hash') ? [['r.hash', rejection]] : [])
  const { wait } = waiting({ get } as Store, [domain, sums], clock)
  for (let at = 0; at < 200; at++) {
    void clock.sleep(at * 5).then(() => wait({ ...address(`t${at}`) }, 3000))
  }
  await clock.advance(500)
  const began = clock.now()
  let after: number | undefined
  void wait({ domain: sums.name, id: 'r', hash: 'hash', time: 0 }, 20_000).then(() => (after = clock.now() - began))
  await clock.advance(500)
  expect(after).toBeLessThan(300)
})

test('given a document that retention has removed, then the receipt has expired and is not pending', async () => {
  const clock = manualClock()
  const documents = { ...domain.documents, retentionDays: 7 }
  const get: Store['get'] = async () => new Map()
  const { wait } = waiting({ get } as unknown as Store, [{ ...domain, documents }], clock)
  const at = (days: number) => wait({ ...address('a'), time: clock.now() - days * 86_400_000 }, 0)
  const [still, gone] = [at(6.9), at(7.1)]
  const refused = expect(gone).rejects.toMatchObject({ status: 410 })
  await clock.advance(100)
  await refused
  expect(await still).toEqual({ status: 'pending' })
})
