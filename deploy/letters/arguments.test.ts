import { expect, test } from 'vitest'
import { parseArguments } from './arguments.ts'

test.each([
  [[], { what: 'list' }],
  [['show', 'r-1'], { what: 'show', id: 'r-1' }],
  [['redrive', 'r-1'], { what: 'redrive', choice: { id: 'r-1' } }],
  [['redrive', 'id=a=b'], { what: 'redrive', choice: { id: 'a=b' } }],
  [['redrive', 'domain=sums'], { what: 'redrive', choice: { domain: 'sums' } }],
  [
    ['redrive', 'error=out of memory: x=1  domain=sums', 'stream=sum/42'],
    { what: 'redrive', choice: { error: 'out of memory: x=1', domain: 'sums', stream: 'sum/42' } },
  ],
  [
    ['redrive', 'from=2026-11-21 to=2026-11-21T02:30'],
    { what: 'redrive', choice: { from: '2026-11-21T00:00:00.000Z', to: '2026-11-21T02:30:00.000Z' } },
  ],
  [['redrive', 'from=2026-11-21T02:30:00+02:00'], { what: 'redrive', choice: { from: '2026-11-21T00:30:00.000Z' } }],
  [['redrive', 'all'], { what: 'redrive', choice: { from: '1970-01-01T00:00:00.000Z' } }],
  [['redrive', 'ALL'], { what: 'redrive', choice: { from: '1970-01-01T00:00:00.000Z' } }],
  [['discard', 'r-1', 'a test'], { what: 'discard', id: 'r-1', reason: 'a test' }],
])('%j is %j', (words, asked) => {
  expect(parseArguments(words)).toEqual(asked)
})

test.each([
  [['shwo', 'r-1'], 'unknown operation shwo'],
  [['show'], 'one id'],
  [['show', 'a', 'b'], 'one id'],
  [['redrive'], 'all'],
  [['redrive', ''], 'all'],
  [['redrive', 'domian=sums'], 'domian=sums'],
  [['redrive', 'two words'], 'two words'],
  [['redrive', 'r-1 domain=sums'], 'r-1'],
  [['redrive', 'domain='], 'domain='],
  [['redrive', 'domain=a domain=b'], 'twice'],
  [['redrive', 'from=yesterday'], 'yesterday'],
  [['discard', 'r-1'], 'REASON'],
  [['discard', 'r-1', ' '], 'REASON'],
])('%j is not understood', (words, why) => {
  expect(() => parseArguments(words)).toThrow(why)
})
