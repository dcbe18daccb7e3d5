import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Problem } from '#core/problem.ts'
import { flawsIn, itemCheck } from './json-flaws.ts'
import { parseExactly } from './parse-request.ts'

function refusal(text: string): Problem {
  try {
    parseExactly(text)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error(`${text.slice(0, 100)} was taken`)
}

test.each([
  [
    'an integer beyond 2^53',
    '{"a":{"n":9007199254740993}}',
    'a.n',
    'would become 9007199254740992: send it as a string',
  ],
  ['a negative one', '{"n":-9007199254740993}', 'n', 'would become'],
  ['the smallest of 64 bits', '{"n":-9223372036854775808}', 'n', 'would become -9223372036854776000'],
  ['one with a zero behind its point', '{"n":9007199254740993.0}', 'n', 'would become'],
  ['one without end', `{"n":1${'0'.repeat(400)}}`, 'n', 'too large'],
  ['a number that overflows', '{"n":1e400}', 'n', 'too large'],
  ['a negative number that overflows', '{"list":[0,{"n":-1.5E+400}]}', 'list.1.n', 'too large'],
  ['a long fraction that overflows', `{"n":0.${'1'.repeat(284)}e700}`, 'n', 'too large'],
  ['a number that underflows', '{"n":1e-400}', 'n', 'too small'],
  ['a fraction that underflows', `{"n":0.${'0'.repeat(330)}1}`, 'n', 'too small'],
  ['a member that occurs twice', '{"a":{"b":1,"c":{},"b":2}}', 'a.b', 'twice'],
  ['a member that occurs twice, once escaped', '{"b":1,"\\u0062":2}', 'b', 'twice'],
  ['a member named __proto__', '{"a":{"__proto__":1}}', 'a.__proto__', 'not allowed'],
  ['an escaped __proto__', '{"\\u005f_proto__":{}}', '__proto__', 'not allowed'],
  ['a number that overflows, alone', '1e999', '', 'too large'],
])('%s is refused, with its field', (_, text, field, message) => {
  const { status, members } = refusal(text)
  expect([status, members.errors]).toEqual([400, [{ field, message: expect.stringContaining(message) }]])
})

test.each([
  '9007199254740991',
  '-9007199254740991',
  '9007199254740992',
  '9223372036854776000',
  '100000000000000000000',
  '1.0',
  '0.1234567890123456789',
  '3.14159265358979323846264338327950288',
  '0.30000000000000004',
  '1e23',
  '1.7976931348623157e308',
  '5e-324',
  '-0',
  '0e999',
  '0.0e-999',
  '"9007199254740993 1e400 \\" :,[{"',
  '"\\\\"',
  '[true,false,null,{"e":"e5"}]',
  ' { "a" : [ 1 , 2 ] , "b" : { } } ',
  '{"constructor":1,"toString":2,"":3,"proto":"__proto__"}',
])('%s is taken as JSON.parse gives it', (text) => {
  expect(parseExactly(text)).toEqual(JSON.parse(text))
})

test('the items of an array are refused one by one', () => {
  const text = '[{"n":1},{"n":9007199254740993},[{"n":1,"n":1}],9007199254740993,"last"]'
  const check = itemCheck(flawsIn(text))
  const outcomes = [0, 1, 2, 3, 4].map((index) => {
    try {
      return check(index)
    } catch (error) {
      return (error as Problem).members.errors
    }
  })
  const changed = expect.stringContaining('would become')
  expect(outcomes).toEqual([
    undefined,
    [{ field: 'n', message: changed }],
    [{ field: '0.n', message: 'occurs twice' }],
    [{ field: '', message: changed }],
    undefined,
  ])
})

test('an array with the maximum of flaws is refused as a whole', () => {
  const flaws = () => flawsIn(`[${Array.from({ length: 20_000 }, () => '1e400').join()}]`)
  expect(() => itemCheck(flaws())).toThrow('and 9980 more')
})

test('many wrong fields are not all reported', () => {
  const list = Array.from({ length: 1000 }, () => '1e400').join()
  expect(refusal(`[${list}]`).message).toContain('and 980 more')
})

test('every output of JSON.stringify is accepted and parsed to an equal value', () => {
  const json = fc.json({ depthSize: 'medium', maxDepth: 20 }).filter((text) => !text.includes('"__proto__"'))
  fc.assert(
    fc.property(json, (text) => {
      expect(JSON.stringify(parseExactly(text))).toBe(JSON.stringify(JSON.parse(text)))
    }),
  )
})

/** An integer with all of its digits, parsed without the code under test. */
const integers = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }),
)

test('an integer keeps all of its digits or is refused', () => {
  fc.assert(
    fc.property(integers, fc.constantFrom('', '.0', '.000'), (integer, zeros) => {
      const isKept = JSON.stringify(Number(integer)) === String(integer)
      const taken = () => parseExactly(`{"list":[0.5,${integer}${zeros}]}`)
      if (isKept) expect(JSON.stringify(taken())).toBe(`{"list":[0.5,${integer}]}`)
      else expect(taken).toThrow('list.1: ')
    }),
  )
})

test('a double is accepted at any length', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat(100), (double, digits) => {
      expect(parseExactly(JSON.stringify(double))).toBe(JSON.parse(JSON.stringify(double)))
      const long = double.toExponential(Math.min(digits, 100))
      const nearest = Number(long)
      if (Number.isFinite(nearest)) expect(parseExactly(long)).toBe(nearest)
    }),
  )
})
