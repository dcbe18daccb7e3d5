import { expect, test } from 'vitest'
import { z } from 'zod'
import { toFieldErrors } from './field-errors.ts'

const refusal = (schema: z.ZodType, given: unknown) => toFieldErrors(schema.safeParse(given).error as z.ZodError)

test('errors are listed by field, and in one line', () => {
  const { errors, detail } = refusal(z.object({ a: z.string(), b: z.object({ c: z.int() }) }), { b: { c: 0.5 } })
  expect(errors.map(({ field }) => field)).toEqual(['a', 'b.c'])
  expect(detail).toMatch(/^a: .*; b\.c: /)
})

test('the errors of a body are never longer than the body', () => {
  const given = Object.fromEntries(Array.from({ length: 17_000 }, (_, at) => [`${'!'.repeat(1000)}${at}`, 0]))
  const { errors, detail } = refusal(z.record(z.string().regex(/^\w+$/), z.string()), given)
  expect(errors).toHaveLength(20)
  expect(detail).toContain('more')
  expect(JSON.stringify({ errors, detail }).length).toBeLessThan(20_000)
})
