import { expect, test } from 'vitest'
import type { Domain } from '#domains/domain.ts'
import sums from '#domains/sums/domain.ts'
import domain from '#domains/tutorials/domain.ts'
import { manualClock } from '#test/clock.ts'
import { DAY_MS } from './clock.ts'
import { letters, receipts } from './collections.ts'
import { rejectionId } from './ledger.ts'
import type { Address, Receipt } from './receipts.ts'
import type { Store } from './store.ts'
import { Unavailable } from './unavailable.ts'
import { waiting } from './waiting.ts'

/** The watch of a test's store: it tells all ids, loses them, or can not be opened. */
type Watch = 'on' | 'lossy' | 'away'

/** A store with the documents of the test, which records the collection of each id that is looked up. */
function begin(watch: Watch = 'on', domains: Domain[] = [domain]) {
  const clock = manualClock()
  const there = new Map<string, Map<string, Record<string, string>>>()
  const asked: string[] = []
  const state = { watch, isAway: false, getMs: 0, open: 0, opened: 0 }
  const told: string[] = []
  let news = Promise.withResolvers<void>()
  const get: Store['get'] = async (collection, ids) => {
    if (state.isAway) throw new Unavailable('store', 'away')
    asked.push(...ids.map(() => collection.name))
    const found = new Map(there.get(collection.name))
    if (state.getMs > 0) await clock.sleep(state.getMs)
    return new Map(ids.flatMap((id) => (found.has(id) ? [[id, { _id: id, ...found.get(id) }]] : [])))
  }
  async function* watchIds() {
    state.opened++
    if (state.watch === 'away') throw new Unavailable('store', 'away')
    state.open++
    try {
      for (;;) {
        yield told.splice(0)
        if (told.length === 0) await news.promise
      }
    } finally {
      state.open--
    }
  }
  const tell = (...ids: string[]) => {
    told.push(...ids)
    news.resolve()
    news = Promise.withResolvers()
  }
  const put = (collection: string, id: string, fields: Record<string, string>) => {
    there.set(collection, (there.get(collection) ?? new Map()).set(id, fields))
    if (state.watch === 'on') tell(id)
  }
  const { wait } = waiting({ get, watchIds: watchIds as Store['watchIds'] } as Store, domains, clock)
  return {
    clock,
    state,
    asked,
    tell,
    /** Ends the watch, which can't be opened again. */
    endWatch() {
      state.watch = 'away'
      news.reject(new Unavailable('store', 'away'))
    },
    applied: (id: string) => put(domain.documents.collection.name, id, { _hash: 'hash' }),
    put,
    start(id: string, ms: number, signal?: AbortSignal, more: Partial<Address> = {}) {
      const began = clock.now()
      const state: { receipt?: Receipt; after?: number; error?: unknown } = {}
      wait({ domain: domain.name, id, hash: 'hash', time: began, ...more }, ms, signal).then(
        (receipt) => Object.assign(state, { receipt, after: clock.now() - began }),
        (error) => Object.assign(state, { error }),
      )
      return state
    },
  }
}

const PARKED = {
  status: 'parked',
  reason: expect.stringMatching(/^A bug of the site .* kept as letter (parked|beside)/),
}
const LATE: Record<Watch, number> = { on: 0, lossy: 300, away: 15 }
const watches: Watch[] = ['on', 'lossy', 'away']

test.each(watches)('given a watch that is %s, then an applied command is known soon after', async (watch) => {
  const { clock, applied, start } = begin(watch)
  const one = start('one', 5000)
  await clock.advance(30)
  expect(one.receipt).toBeUndefined()
  applied('one')
  await clock.advance(LATE[watch])
  expect(one.receipt).toEqual({ status: 'applied' })
})

test.each(watches)('given a watch that is %s, then a refused command is known soon after', async (watch) => {
  const { clock, put, start } = begin(watch)
  const [rejected, parked, beside] = [start('rejected', 5000), start('parked', 5000), start('beside', 5000)]
  await clock.advance(200)
  put(receipts.name, rejectionId('rejected', 'hash'), { status: 'rejected', reason: 'because' })
  put(letters.name, 'parked', { hash: 'hash', error: 'a bug' })
  put(letters.name, rejectionId('beside', 'hash'), { hash: 'hash', error: 'another bug' })
  await clock.advance(watch === 'away' ? 150 : LATE[watch])
  expect(rejected.receipt).toEqual({ status: 'rejected', reason: 'because' })
  expect(parked.receipt).toEqual(PARKED)
  expect(beside.receipt).toEqual(PARKED)
})

test.each(watches)('given a watch that is %s, then an outcome from before the wait is known at once', async (watch) => {
  const { clock, applied, put, start } = begin(watch)
  applied('old')
  put(letters.name, 'parked', { hash: 'hash', error: 'a bug' })
  await clock.advance(1000)
  const known = start('old', 5000)
  const parked = start('parked', 5000, undefined, { time: clock.now() - 1000 })
  await clock.advance(0)
  expect(known.receipt).toEqual({ status: 'applied' })
  expect(parked.receipt).toEqual(PARKED)
})

test.each(watches)('given a watch that is %s and slow outcomes, then the next one is known as soon', async (watch) => {
  const { clock, applied, start } = begin(watch)
  for (let count = 0; count < 100; count++) {
    start(`slow-${count}`, 5000)
    await clock.advance(2000)
    applied(`slow-${count}`)
    await clock.advance(1100)
  }
  const next = start('next', 5000)
  await clock.advance(10)
  applied('next')
  await clock.advance(LATE[watch])
  expect(next.receipt).toEqual({ status: 'applied' })
})

test('given hints, then a wait of two seconds takes a few looks, and no hint of others adds one', async () => {
  const { clock, applied, asked, start } = begin()
  const one = start('one', 5000)
  for (let count = 0; count < 200; count++) {
    await clock.advance(10)
    applied(`other-${count}`)
  }
  applied('one')
  await clock.advance(0)
  expect(one.after).toBe(2000)
  expect(asked.filter((name) => name === domain.documents.collection.name).length).toBeLessThan(7)
})

test('given a hint during a look that has missed the document, then another look follows', async () => {
  const { clock, state, applied, start } = begin()
  await clock.advance(0)
  state.getMs = 20
  const one = start('one', 5000)
  await clock.advance(10)
  applied('one')
  await clock.advance(100)
  expect(one.receipt).toEqual({ status: 'applied' })
})

test('given a watch that ends, then waiters look early', async () => {
  const { clock, endWatch, applied, start } = begin()
  const one = start('one', 5000)
  await clock.advance(20)
  endWatch()
  applied('one')
  await clock.advance(15)
  expect(one.receipt).toEqual({ status: 'applied' })
})

test('given a watch that was away, then it is opened again while somebody waits', async () => {
  const { clock, state, applied, start } = begin('away')
  const one = start('one', 20_000)
  await clock.advance(3500)
  expect(state.opened).toBe(4)
  state.watch = 'on'
  await clock.advance(1500)
  expect(state).toMatchObject({ open: 1, opened: 5 })
  applied('one')
  await clock.advance(0)
  expect(one.receipt).toEqual({ status: 'applied' })
})

test('all waiters share one watch, which ends when nobody has waited for a while, and no timer is left', async () => {
  const { clock, state, tell, applied, start } = begin('on', [domain, sums])
  const ids = Array.from({ length: 50 }, (_, index) => `id-${index}`)
  const states = ids.map((id) => start(id, 5000))
  await clock.advance(20)
  for (const id of ids) applied(id)
  await clock.advance(5000)
  tell()
  await clock.advance(0)
  expect(states.every(({ receipt }) => receipt?.status === 'applied')).toBe(true)
  expect(state).toMatchObject({ open: 1, opened: 1 })
  await clock.advance(10_000)
  tell()
  await clock.advance(0)
  expect(state).toMatchObject({ open: 0, opened: 1 })
  expect(clock.sleepers()).toBe(0)
  const again = start('again', 5000)
  await clock.advance(20)
  applied('again')
  await clock.advance(0)
  expect(again.receipt).toEqual({ status: 'applied' })
  expect(state).toMatchObject({ open: 1, opened: 2 })
})

test('a wait of 0 ms gives the outcome as it is now, refused or not', async () => {
  const { clock, put, start } = begin()
  put(letters.name, 'parked', { hash: 'hash', error: 'a bug' })
  const [pending, parked] = [start('pending', 0), start('parked', 0)]
  await clock.advance(10)
  expect(pending.receipt).toEqual({ status: 'pending' })
  expect(parked.receipt).toEqual(PARKED)
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

test.each(watches)(
  'given a watch that is %s, then a thousand commands of a second are looked up a few times each',
  async (watch) => {
    const { clock, applied, asked, start } = begin(watch)
    const states = Array.from({ length: 1000 }, (_, index) => start(`slow-${index}`, 5000))
    await clock.advance(1000)
    for (let index = 0; index < 1000; index++) applied(`slow-${index}`)
    await clock.advance(1100)
    expect(states.every(({ receipt }) => receipt?.status === 'applied')).toBe(true)
    expect(asked.filter((name) => name === domain.documents.collection.name).length).toBeLessThan(
      watch === 'away' ? 30_000 : 5000,
    )
  },
)

test('an outage rejects all waits', async () => {
  const { clock, state, endWatch, start } = begin()
  const one = start('one', 5000)
  await clock.advance(20)
  state.isAway = true
  endWatch()
  await clock.advance(20)
  expect(one.error).toBeInstanceOf(Unavailable)
})

test('given a store that hangs, then a wait is little longer than asked for', async () => {
  const { clock, applied, state, start } = begin()
  const before = start('before', 1000)
  await clock.advance(100)
  state.getMs = 10_000
  const after = start('after', 500)
  await clock.advance(1500)
  expect([before.receipt, after.receipt]).toEqual([{ status: 'pending' }, { status: 'pending' }])
  expect(before.after).toBeLessThanOrEqual(1400)
  applied('next')
  const next = start('next', 20_000)
  await clock.advance(21_000)
  expect(next.receipt).toEqual({ status: 'applied' })
})

test.each(watches)(
  'given a watch that is %s and steady waits in one domain, then a refusal in another is known as soon',
  async (watch) => {
    const { clock, put, start } = begin(watch, [domain, sums])
    for (let at = 0; at < 200; at++) void clock.sleep(at * 5).then(() => start(`t${at}`, 3000))
    await clock.advance(500)
    const refused = start('r', 20_000, undefined, { domain: sums.name })
    await clock.advance(10)
    put(receipts.name, rejectionId('r', 'hash'), { status: 'rejected', reason: 'no' })
    await clock.advance(490)
    expect(refused.after).toBeLessThan(300)
  },
)

test('given a document that retention has removed, then the receipt has expired and is not pending', async () => {
  const documents = { ...domain.documents, retentionDays: 7 }
  const { clock, start } = begin('on', [{ ...domain, documents }])
  const at = (days: number) => start('a', 0, undefined, { time: clock.now() - days * DAY_MS })
  const [still, gone] = [at(6.9), at(7.1)]
  await clock.advance(100)
  expect(still.receipt).toEqual({ status: 'pending' })
  expect(gone.error).toMatchObject({ status: 410 })
})
