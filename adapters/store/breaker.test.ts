import { expect, test } from 'vitest'
import { Conflict, type Store } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import { withBreaker } from './breaker.ts'

/** A store whose commits end as they are told to. */
function failing(error: () => Error) {
  const seen = { commits: 0 }
  const store = withBreaker({
    commit: () => {
      seen.commits++
      return Promise.reject(error())
    },
  } as unknown as Store)
  return { store, seen }
}

test('given commits that find the store unavailable, then later ones are refused without a call', async () => {
  const { store, seen } = failing(() => new Unavailable('store', 'no primary'))
  for (let time = 0; time < 10; time++) await expect(store.commit([])).rejects.toBeInstanceOf(Unavailable)
  expect(seen.commits).toBe(3)
})

test('given one conflict after another, then each is thrown unchanged, since the store works', async () => {
  const { store, seen } = failing(() => new Conflict('another was first'))
  for (let time = 0; time < 10; time++) await expect(store.commit([])).rejects.toBeInstanceOf(Conflict)
  expect(seen.commits).toBe(10)
})

test('given writes that fail and reads that do not, then reads continue, and the reverse', async () => {
  const away = () => Promise.reject(new Unavailable('store', 'no space left'))
  const here = () => Promise.resolve(new Map())
  const notes = { name: 'notes', indexes: {} }
  for (const [commit, get] of [
    [away, here],
    [here, away],
  ]) {
    const store = withBreaker({ commit, get } as unknown as Store)
    const writes = await Promise.allSettled(Array.from({ length: 10 }, () => store.commit([])))
    const reads = await Promise.allSettled(Array.from({ length: 10 }, () => store.get(notes, ['a'])))
    const last = await Promise.allSettled([store.commit([])])
    const expected = [commit, get, commit].map((call) => (call === here ? 'fulfilled' : 'rejected'))
    for (const [at, ends] of [writes, reads, last].entries()) {
      expect(new Set(ends.map(({ status }) => status))).toEqual(new Set([expected[at]]))
    }
  }
})
