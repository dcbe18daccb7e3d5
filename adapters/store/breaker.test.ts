import { expect, test } from 'vitest'
import { Unavailable } from '../unavailable.ts'
import { withBreaker } from './breaker.ts'
import { Conflict, type Store } from './store.ts'

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

test('given commits that find the store away, then those behind them are refused without asking it', async () => {
  const { store, seen } = failing(() => new Unavailable('store', 'no primary'))
  for (let time = 0; time < 10; time++) await expect(store.commit([])).rejects.toBeInstanceOf(Unavailable)
  expect(seen.commits).toBe(3)
})

test('given one conflict after another, then each is told as it is, since the store is well', async () => {
  const { store, seen } = failing(() => new Conflict('another was first'))
  for (let time = 0; time < 10; time++) await expect(store.commit([])).rejects.toBeInstanceOf(Conflict)
  expect(seen.commits).toBe(10)
})
