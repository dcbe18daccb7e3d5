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
