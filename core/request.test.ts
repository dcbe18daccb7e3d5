import { expect, test } from 'vitest'
import { traceOf } from './request.ts'

const ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

test('a given trace context is continued', () => {
  const traceparent = `00-${ID}-${SPAN}-01`
  expect(traceOf({ traceparent })).toEqual({ traceparent, traceId: ID })
})

test.each([
  ['none', undefined],
  ['an empty one', ''],
  ['upper case', `00-${ID.toUpperCase()}-${SPAN}-01`],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['a span id of zeros', `00-${ID}-${'0'.repeat(16)}-01`],
  ['the version that never is', `ff-${ID}-${SPAN}-01`],
  ['something behind it', `00-${ID}-${SPAN}-01-x`],
  ['a line break behind it', `00-${ID}-${SPAN}-01\n`],
])('given %s, a new trace begins', (_, traceparent) => {
  const trace = traceOf(traceparent === undefined ? {} : { traceparent })
  expect(trace.traceId).not.toBe(ID)
  expect(trace.traceparent).toMatch(new RegExp(`^00-${trace.traceId}-[0-9a-f]{16}-01$`))
  expect(traceOf({ traceparent: trace.traceparent })).toEqual(trace)
})

test('no two requests share a new trace', () => {
  const ids = Array.from({ length: 10_000 }, () => traceOf({}).traceId)
  expect(new Set(ids).size).toBe(ids.length)
})
