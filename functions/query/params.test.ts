import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { paramsReader } from './params.ts'

const read = (query: string, params?: z.ZodObject, path = {}, answers: 'page' | 'composed' | 'one' = 'page') =>
  paramsReader({ answers, ...(params ? { params } : {}) })(path, new URLSearchParams(query))

test('limit has a default and bounds, and the problem names wrong parameters', () => {
  expect(read('').limit).toBe(50)
  expect(read('limit=7').limit).toBe(7)
  for (const [wrong, field] of [
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=ten', 'limit'],
    ['colour=red', 'colour'],
  ] as const) {
    expect(() => read(wrong)).toThrow(field)
  }
})

const statusOf = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return (error as { status?: number }).status
  }
}

test.each(['1e2', '0x10', '0b1', '0o7', '+5', ' 5', '5 ', '5.0', '.5', '1_0', 'ten', 'NaN', 'Infinity', '', '٣'])(
  'limit=%j is no number in decimal digits, and 422',
  (value) => {
    expect(statusOf(() => read(`limit=${encodeURIComponent(value)}`))).toBe(422)
  },
)

test('a number must be plain digits within bounds, in the path too', () => {
  const params = z.object({ number: z.coerce.number().optional(), count: z.coerce.number().int().min(1).default(3) })
  const composed = (query: string, path = {}) => read(query, params, path, 'composed')
  expect(composed('number=-2.50&count=007').params).toEqual({ number: -2.5, count: 7 })
  for (const wrong of ['number=1e2', 'number=0x10', 'number=', 'count=1.5', 'count=1e0']) {
    expect(
      statusOf(() => composed(wrong)),
      wrong,
    ).toBe(422)
  }
  expect(statusOf(() => composed('', { number: '1e2' }))).toBe(422)
  expect(statusOf(() => composed('count=0'))).toBe(400)
  expect(statusOf(() => composed('count=1e2&colour=red'))).toBe(400)
  expect(() => composed('count=1e2&number=x')).toThrow(/number: .*decimal digits; count: .*decimal digits/)
})

test('an empty cursor is 422, and the problem names other wrong parameters too', () => {
  expect(statusOf(() => read('cursor='))).toBe(422)
  expect(statusOf(() => read('cursor=&limit=1e2', undefined, {}, 'page'))).toBe(422)
  expect(() => read('cursor=&limit=0')).toThrow(/cursor: .*limit: /)
  expect(read('cursor=', z.object({ cursor: z.string() }), {}, 'composed').params).toEqual({ cursor: '' })
})

test.each(['toString', 'constructor', '__proto__'])(
  '%s is an unknown parameter, though every object has a member of that name',
  (name) => {
    expect(() => read(`${name}=1`)).toThrow(name)
    expect(() => read(`${name}=1`, z.object({ colour: z.string().optional() }), {}, 'composed')).toThrow(name)
  },
)

test('the problem names all wrong parameters at once, those of the path too', () => {
  const params = z.object({ page: z.coerce.number(), colour: z.string() })
  expect(() => read('limit=0', params, { page: 'first' })).toThrow(/limit: .*page: .*colour: /)
})

test('a parameter of the path is validated if the query declares it, and takes precedence over the query string', () => {
  const params = z.object({ number: z.coerce.number(), colour: z.string().default('red') })
  expect(read('number=3', params, { number: '2', id: 'a' }).params).toEqual({ number: 2, colour: 'red', id: 'a' })
})

test('a schema may compare parameters with each other', () => {
  const params = z.object({ from: z.string(), to: z.string() }).refine(({ from, to }) => from <= to, 'from before to')
  expect(read('from=a&to=b', params).params).toEqual({ from: 'a', to: 'b' })
  expect(() => read('from=b&to=a', params)).toThrow('from before to')
  expect(() => read('from=a&to=b&more=c', params)).toThrow('more')
})

test('pages have limit and cursor, a composed query only if it declares them, and all of them have after', () => {
  expect(() => read('limit=7', undefined, {}, 'composed')).toThrow('limit')
  expect(read('after=x&limit=7', z.object({ limit: z.string() }), {}, 'composed').params).toEqual({ limit: '7' })
  expect(read('after=x', undefined, {}, 'page').params).toEqual({})
})

test('a query without parameters ignores the query string', () => {
  expect(read('colour=red', undefined, { id: 'a' }, 'one').params).toEqual({ id: 'a' })
})

test('a reader makes its schema once, and validates each request by itself', () => {
  const params = z.object({ colour: z.string().optional() })
  const strict = vi.spyOn(params, 'strict')
  const readParams = paramsReader({ answers: 'page', params })
  const search = (query: string) => readParams({}, new URLSearchParams(query))
  expect(search('limit=7&colour=red')).toMatchObject({ limit: 7, params: { colour: 'red' } })
  expect(() => search('limit=0&shade=dark')).toThrow(/limit: .*shade/)
  expect(search('')).toMatchObject({ limit: 50, params: {} })
  expect(strict).toHaveBeenCalledTimes(1)
})

test('a request without parameters gets the defaults, also after one that has some or wrong ones', () => {
  const readParams = paramsReader({ answers: 'page', numbered: { sorts: { newest: {} } } })
  const without = { limit: 50, cursor: undefined, params: {} }
  expect(readParams({}, new URLSearchParams())).toEqual(without)
  expect(readParams({}, new URLSearchParams('limit=3&cursor=a'))).toEqual({ limit: 3, cursor: 'a', params: {} })
  expect(readParams({}, new URLSearchParams('page=2'))).toEqual({ ...without, numbering: { page: 2, size: 20 } })
  expect(statusOf(() => readParams({}, new URLSearchParams('limit=no')))).toBe(422)
  expect(readParams({}, new URLSearchParams())).toEqual(without)
})

test("a default of a query's own parameters is made for each request", () => {
  let count = 0
  const params = z.object({ number: z.number().default(() => ++count) })
  const readParams = paramsReader({ answers: 'one', params })
  const [first, second] = [1, 2].map(() => Number(readParams({}, new URLSearchParams()).params.number)) as [
    number,
    number,
  ]
  expect(second).toBeGreaterThan(first)
})
