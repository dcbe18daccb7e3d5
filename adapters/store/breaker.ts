import { BrokenCircuitError, ConsecutiveBreaker, circuitBreaker, handleType } from 'cockatiel'
import type { Store } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'

const FAILURES_TO_OPEN = 3
const HALF_OPEN_AFTER_MS = 1000

/**
 * Rejects with `Unavailable` at once while the store is known to be unavailable, so that callers don't each wait for a
 * time-out. A second later one call tries again. Only outages count, since a fault says nothing about the store. Reads and writes
 * have separate circuits, because a store with a full disk can still be read.
 */
export function withBreaker(store: Store): Store {
  const read = guard()
  const write = guard()
  return {
    ...store,
    insert: (...args) => write(() => store.insert(...args)),
    commit: (...args) => write(() => store.commit(...args)),
    remove: (...args) => write(() => store.remove(...args)),
    get: (...args) => read(() => store.get(...args)),
    find: (...args) => read(() => store.find(...args)),
    count: (...args) => read(() => store.count(...args)),
  }
}

function guard() {
  const circuit = circuitBreaker(handleType(Unavailable), {
    halfOpenAfter: HALF_OPEN_AFTER_MS,
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
  })
  return async <Result>(call: () => Promise<Result>): Promise<Result> => {
    try {
      return await circuit.execute(call)
    } catch (error) {
      if (error instanceof BrokenCircuitError)
        throw new Unavailable('store', 'the circuit breaker is open', { cause: error })
      throw error
    }
  }
}
