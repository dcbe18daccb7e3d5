import { BrokenCircuitError, ConsecutiveBreaker, circuitBreaker, handleType } from 'cockatiel'
import { Unavailable } from '../unavailable.ts'
import type { Store } from './store.ts'

const FAILURES_TO_OPEN = 3
const HALF_OPEN_AFTER_MS = 1000

/**
 * Answers `Unavailable` at once while the store is known to be away, instead of letting every caller find out in its
 * own time; a second later one call tries again. Only outages count: a fault says nothing about the store.
 */
export function withBreaker(store: Store): Store {
  const circuit = circuitBreaker(handleType(Unavailable), {
    halfOpenAfter: HALF_OPEN_AFTER_MS,
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
  })
  const guarded = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    try {
      return await circuit.execute(call)
    } catch (error) {
      if (error instanceof BrokenCircuitError)
        throw new Unavailable('store', 'away for a moment already', { cause: error })
      throw error
    }
  }
  return {
    ...store,
    insert: (...args) => guarded(() => store.insert(...args)),
    commit: (...args) => guarded(() => store.commit(...args)),
    get: (...args) => guarded(() => store.get(...args)),
    find: (...args) => guarded(() => store.find(...args)),
    count: (...args) => guarded(() => store.count(...args)),
    remove: (...args) => guarded(() => store.remove(...args)),
  }
}
