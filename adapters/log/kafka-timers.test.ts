// @ts-expect-error: kafkajs declares the types of its public parts only.
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import './kafka-timers.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const logger = { debug() {}, warn() {} }

/** A queue of kafkajs, and the correlation ids of the requests that it has sent. */
function queue(maxInFlightRequests: number | null = null) {
  const sent: number[] = []
  const made = new RequestQueue({ maxInFlightRequests, requestTimeout: 1000, clientId: '', broker: '', logger })
  return {
    sent,
    made,
    push(correlationId: number) {
      const entry = { correlationId, resolve() {}, reject() {} }
      made.push({ entry, expectResponse: true, requestTimeout: null, sendRequest: () => sent.push(correlationId) })
    },
    respond: (correlationId: number) => made.fulfillRequest({ correlationId, payload: Buffer.alloc(0), size: 0 }),
  }
}

test('given a response and no request that waits, then the connection keeps no timer', () => {
  const { push, respond } = queue()
  push(1)
  respond(1)
  expect(vi.getTimerCount()).toBe(0)
})

test('given a throttled connection, then requests that wait are sent at the end of the throttle, and no timer remains', () => {
  const { sent, made, push, respond } = queue()
  push(1)
  respond(1)
  made.maybeThrottle(300)
  push(2)
  push(3)
  vi.advanceTimersByTime(299)
  expect(sent).toEqual([1])
  vi.advanceTimersByTime(2)
  expect(sent).toEqual([1, 2, 3])
  respond(2)
  respond(3)
  expect(vi.getTimerCount()).toBe(0)
})

test('given a full connection, then the next request is sent with the response to an earlier one', () => {
  const { sent, push, respond } = queue(1)
  push(1)
  push(2)
  respond(1)
  expect(sent).toEqual([1, 2])
  respond(2)
  vi.advanceTimersByTime(20)
  expect(vi.getTimerCount()).toBe(0)
})

test('no timer is set in the past, about which Node would warn', () => {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  const { push, respond } = queue(1)
  push(1)
  push(2)
  respond(1)
  respond(2)
  expect(timers.mock.calls.length).toBeGreaterThan(0)
  for (const [, ms] of timers.mock.calls) expect(ms).toBeGreaterThan(0)
})
