import { expect, test } from 'vitest'
import { z } from 'zod'
import { readParams } from './params.ts'

const read = (query: string, params?: z.ZodObject, path = {}, answers: 'page' | 'view' | 'one' = 'page') =>
  readParams({ answers, ...(params ? { params } : {}) }, path, new URLSearchParams(query))

test('limit has a default and bounds, and wrong parameters are named', () => {
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

test('a number is plain digits in every query, in its path too, and within bounds', () => {
  const params = z.object({ number: z.coerce.number().optional(), count: z.coerce.number().int().min(1).default(3) })
  const view = (query: string, path = {}) => read(query, params, path, 'view')
  expect(view('number=-2.50&count=007').params).toEqual({ number: -2.5, count: 7 })
  for (const wrong of ['number=1e2', 'number=0x10', 'number=', 'count=1.5', 'count=1e0']) {
    expect(
      statusOf(() => view(wrong)),
      wrong,
    ).toBe(422)
  }
  expect(statusOf(() => view('', { number: '1e2' }))).toBe(422)
  expect(statusOf(() => view('count=0'))).toBe(400)
  expect(statusOf(() => view('count=1e2&colour=red'))).toBe(400)
  expect(() => view('count=1e2&number=x')).toThrow(/number: .*decimal digits; count: .*decimal digits/)
})

test('an empty cursor is 422 on every page, and another wrong one is named beside it', () => {
  expect(statusOf(() => read('cursor='))).toBe(422)
  expect(statusOf(() => read('cursor=&limit=1e2', undefined, {}, 'page'))).toBe(422)
  expect(() => read('cursor=&limit=0')).toThrow(/cursor: .*limit: /)
  expect(read('cursor=', z.object({ cursor: z.string() }), {}, 'view').params).toEqual({ cursor: '' })
})

test.each(['toString', 'constructor', '__proto__'])('%s is not a parameter, though every object has one', (name) => {
  expect(() => read(`${name}=1`)).toThrow(name)
  expect(() => read(`${name}=1`, z.object({ colour: z.string().optional() }), {}, 'view')).toThrow(name)
})

test('all that is wrong is told at once, also of the path', () => {
  const params = z.object({ page: z.coerce.number(), colour: z.string() })
  expect(() => read('limit=0', params, { page: 'first' })).toThrow(/limit: .*page: .*colour: /)
})

test('what stands in the path is a parameter, checked where the query tells of it, and goes before one of its name', () => {
  const params = z.object({ number: z.coerce.number(), colour: z.string().default('red') })
  expect(read('number=3', params, { number: '2', id: 'a' }).params).toEqual({ number: 2, colour: 'red', id: 'a' })
})

test('a schema may hold parameters to each other', () => {
  const params = z.object({ from: z.string(), to: z.string() }).refine(({ from, to }) => from <= to, 'from before to')
  expect(read('from=a&to=b', params).params).toEqual({ from: 'a', to: 'b' })
  expect(() => read('from=b&to=a', params)).toThrow('from before to')
  expect(() => read('from=a&to=b&more=c', params)).toThrow('more')
})

test('a page has limit and cursor, a view has them only if it declares them, and after is always there', () => {
  expect(() => read('limit=7', undefined, {}, 'view')).toThrow('limit')
  expect(read('after=x&limit=7', z.object({ limit: z.string() }), {}, 'view').params).toEqual({ limit: '7' })
  expect(read('after=x', undefined, {}, 'page').params).toEqual({})
})

test('what takes no parameters does not look at them', () => {
  expect(read('colour=red', undefined, { id: 'a' }, 'one').params).toEqual({ id: 'a' })
})
